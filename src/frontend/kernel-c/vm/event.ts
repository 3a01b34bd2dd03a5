import type { Shape } from '../lower/bytecode.ts';

/**
 * What a thread asks of the world outside it. The machine stops before the effect, hands out the event
 * and goes on when it is given an answer.
 */
export type VmEvent =
  /** Answer: the value loaded. */
  | {
      readonly kind: 'load';
      readonly at: EventPlace;
      readonly address: bigint;
      readonly size: number;
      readonly volatile: boolean;
      /** The object of file scope that the address lies in, when it is one without a definition. */
      readonly symbol: SymbolOffset | null;
    }
  | {
      readonly kind: 'store';
      readonly at: EventPlace;
      readonly address: bigint;
      readonly size: number;
      readonly value: bigint;
      readonly volatile: boolean;
      readonly symbol: SymbolOffset | null;
    }
  /** A call of a function that is intercepted or has no body here. Answer: its result, if any. */
  | {
      readonly kind: 'call';
      readonly at: EventPlace;
      readonly name: string;
      /** Structs are given as their bytes, lowest first, in one number. */
      readonly arguments: readonly bigint[];
      readonly result: Shape | null;
    }
  /** Answer: the values of the outputs in order, and for `asm goto` the label to jump to. */
  | {
      readonly kind: 'asm';
      readonly at: EventPlace;
      readonly template: string;
      readonly volatile: boolean;
      readonly operands: readonly AsmValue[];
      readonly clobbers: readonly string[];
      readonly labels: readonly string[];
    };

export interface SymbolOffset {
  readonly name: string;
  readonly offset: number;
}

/** A token of a unit; `Program.places` turns it into file, line and macros. */
export interface EventPlace {
  readonly unit: number;
  readonly token: number;
}

export interface AsmValue {
  readonly name: string | null;
  readonly constraint: string;
  readonly size: number;
  /** The value going in; for a memory operand its address; `null` for a pure output. */
  readonly value: bigint | null;
  readonly memory: boolean;
  readonly output: boolean;
}

export interface Answer {
  readonly values: readonly bigint[];
  /** For `asm goto`: the name of the label taken; absent to fall through. */
  readonly label?: string;
}

export const DONE: Answer = { values: [] };
