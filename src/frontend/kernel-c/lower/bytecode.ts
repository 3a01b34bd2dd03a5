/**
 * The register code that C is lowered to: plain data, so that a machine running it can be stopped,
 * copied and compared between any two instructions. A register holds one scalar as a bigint already
 * wrapped to its C type, pointers as unsigned 64 bits. Everything with an address lives in the frame or
 * in memory. `at` is a token of the unit, from which file, line and macros follow.
 */
export type Instruction =
  | { readonly op: 'constant'; readonly at: number; readonly to: number; readonly value: bigint }
  /** The address of an object or function of file scope, or of a static local. */
  | { readonly op: 'symbol'; readonly at: number; readonly to: number; readonly name: string }
  | { readonly op: 'string'; readonly at: number; readonly to: number; readonly text: string }
  /** An address in the frame. */
  | { readonly op: 'frame'; readonly at: number; readonly to: number; readonly offset: number }
  /** A variable comes into being without a value. */
  | { readonly op: 'unset'; readonly at: number; readonly to: number }
  | { readonly op: 'move'; readonly at: number; readonly to: number; readonly from: number }
  | {
      readonly op: 'convert';
      readonly at: number;
      readonly to: number;
      readonly from: number;
      readonly shape: Shape;
    }
  | {
      readonly op: 'unary';
      readonly at: number;
      readonly to: number;
      readonly operator: '-' | '~' | '!';
      readonly a: number;
      readonly shape: Shape;
    }
  /** Operands have one type already; comparisons give 0 or 1, the rest is wrapped to `shape`. */
  | {
      readonly op: 'binary';
      readonly at: number;
      readonly to: number;
      readonly operator: Operator;
      readonly a: number;
      readonly b: number;
      readonly shape: Shape;
    }
  /** `a + value` as an address. */
  | {
      readonly op: 'offset';
      readonly at: number;
      readonly to: number;
      readonly a: number;
      readonly value: bigint;
    }
  | {
      readonly op: 'load';
      readonly at: number;
      readonly to: number;
      readonly address: number;
      readonly shape: Shape;
      readonly volatile: boolean;
    }
  | {
      readonly op: 'store';
      readonly at: number;
      readonly address: number;
      readonly from: number;
      readonly shape: Shape;
      readonly volatile: boolean;
    }
  | {
      readonly op: 'load-bits';
      readonly at: number;
      readonly to: number;
      readonly address: number;
      readonly bits: Bits;
      readonly volatile: boolean;
    }
  | {
      readonly op: 'store-bits';
      readonly at: number;
      readonly address: number;
      readonly from: number;
      readonly bits: Bits;
      readonly volatile: boolean;
    }
  | {
      readonly op: 'copy';
      readonly at: number;
      readonly to: number;
      readonly from: number;
      readonly size: number;
      readonly volatile: boolean;
    }
  | { readonly op: 'zero'; readonly at: number; readonly address: number; readonly size: number }
  | { readonly op: 'jump'; readonly at: number; readonly target: number }
  | {
      readonly op: 'branch';
      readonly at: number;
      readonly test: number;
      readonly yes: number;
      readonly no: number;
    }
  | {
      readonly op: 'switch';
      readonly at: number;
      readonly value: number;
      readonly cases: readonly SwitchCase[];
      readonly otherwise: number;
    }
  | CallInstruction
  | {
      readonly op: 'return';
      readonly at: number;
      readonly value: ReturnValue;
    }
  | AsmInstruction
  /** A compiler builtin on scalars, by its name without `__builtin_`. */
  | {
      readonly op: 'builtin';
      readonly at: number;
      readonly to: number;
      readonly name: string;
      readonly arguments: readonly number[];
      readonly shape: Shape;
    }
  /** `memcpy`, `memmove`, `memset`, `memcmp` of the compiler. */
  | {
      readonly op: 'memory';
      readonly at: number;
      readonly to: number;
      readonly name: 'memcpy' | 'memmove' | 'memset' | 'memcmp';
      readonly arguments: readonly [number, number, number];
    }
  /** Reaching this ends the run with a sentence: something here is not understood. */
  | { readonly op: 'stop'; readonly at: number; readonly message: string };

export type Operator =
  | '*'
  | '/'
  | '%'
  | '+'
  | '-'
  | '<<'
  | '>>'
  | '<'
  | '>'
  | '<='
  | '>='
  | '=='
  | '!='
  | '&'
  | '^'
  | '|';

/** How a scalar is stored. */
export interface Shape {
  readonly size: number;
  readonly signed: boolean;
  readonly bool: boolean;
}

/** A bit-field: bits from the addressed byte on. */
export interface Bits {
  readonly start: number;
  readonly width: number;
  readonly signed: boolean;
  readonly bool: boolean;
}

export interface SwitchCase {
  readonly low: bigint;
  readonly high: bigint;
  readonly target: number;
}

export type Argument =
  | { readonly kind: 'scalar'; readonly from: number; readonly size: number }
  | { readonly kind: 'aggregate'; readonly address: number; readonly size: number };

export interface CallInstruction {
  readonly op: 'call';
  readonly at: number;
  readonly callee:
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'register'; readonly register: number };
  readonly arguments: readonly Argument[];
  readonly result: CallResult;
}

export type CallResult =
  | { readonly kind: 'none' }
  | { readonly kind: 'register'; readonly to: number; readonly shape: Shape }
  | { readonly kind: 'memory'; readonly address: number; readonly size: number };

export type ReturnValue =
  | { readonly kind: 'none' }
  | { readonly kind: 'register'; readonly from: number }
  | { readonly kind: 'memory'; readonly address: number; readonly size: number };

export interface AsmInstruction {
  readonly op: 'asm';
  readonly at: number;
  readonly template: string;
  readonly volatile: boolean;
  /** Outputs first, then inputs, numbered as in the template. */
  readonly operands: readonly AsmPlace[];
  readonly clobbers: readonly string[];
  readonly labels: readonly { readonly name: string; readonly target: number }[];
}

export interface AsmPlace {
  readonly name: string | null;
  readonly constraint: string;
  /** The register that holds the value going in, or the address of a memory operand. */
  readonly input: number | null;
  /** The register that takes the value coming out. */
  readonly output: { readonly to: number; readonly shape: Shape } | null;
  /** True when the operand is a place in memory and `input` is its address. */
  readonly memory: boolean;
  readonly size: number;
}

export interface CompiledFunction {
  readonly name: string;
  readonly unit: number;
  readonly code: readonly Instruction[];
  /** The registers before the first instruction: none has a value. */
  readonly registers: readonly null[];
  /** Bytes of the frame. */
  readonly frameSize: number;
  /** The variables in the frame, for messages; those of blocks that are not open together may overlap. */
  readonly variables: readonly FrameVariable[];
  readonly parameters: readonly ParameterPlace[];
  readonly result: 'none' | 'scalar' | 'aggregate';
}

/** A variable that lives in the frame, by its bytes there. */
export interface FrameVariable {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

export type ParameterPlace =
  | { readonly kind: 'register'; readonly register: number; readonly shape: Shape }
  | {
      readonly kind: 'frame';
      readonly offset: number;
      readonly size: number;
      readonly aggregate: boolean;
    };
