/**
 * The syntax of GNU C as kernel code uses it. Every node has `at`, the number of a token in the unit's
 * `TokenStream`, from which file, line and the chain of macros follow (`originOf`).
 *
 * Names of types are resolved while parsing, because C cannot be parsed otherwise: a typedef name is
 * replaced by its type, a tag by the number of its record or enum. Names of objects and functions are
 * left as they are.
 */
export type Expression =
  | IntegerLiteral
  | { readonly kind: 'float'; readonly at: number; readonly text: string }
  /** Adjacent literals joined and decoded to one character per byte, without the final zero. */
  | { readonly kind: 'string'; readonly at: number; readonly text: string; readonly wide: boolean }
  | { readonly kind: 'identifier'; readonly at: number; readonly name: string }
  | CallExpression
  | {
      readonly kind: 'index';
      readonly at: number;
      readonly object: Expression;
      readonly index: Expression;
    }
  | {
      readonly kind: 'member';
      readonly at: number;
      readonly object: Expression;
      readonly name: string;
      /** True for `->`. */
      readonly arrow: boolean;
    }
  | {
      readonly kind: 'unary';
      readonly at: number;
      readonly operator: UnaryOperator;
      readonly operand: Expression;
    }
  | {
      readonly kind: 'step';
      readonly at: number;
      readonly operator: '++' | '--';
      readonly prefix: boolean;
      readonly operand: Expression;
    }
  | {
      readonly kind: 'binary';
      readonly at: number;
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'assign';
      readonly at: number;
      /** `null` for plain `=`. */
      readonly operator: BinaryOperator | null;
      readonly target: Expression;
      readonly value: Expression;
    }
  | {
      readonly kind: 'conditional';
      readonly at: number;
      readonly test: Expression;
      /** `null` in `a ?: b`. */
      readonly yes: Expression | null;
      readonly no: Expression;
    }
  | {
      readonly kind: 'comma';
      readonly at: number;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: 'cast';
      readonly at: number;
      readonly type: TypeSyntax;
      readonly operand: Expression;
    }
  | {
      readonly kind: 'compound-literal';
      readonly at: number;
      readonly type: TypeSyntax;
      readonly initializer: Initializer;
    }
  | {
      readonly kind: 'measure-expression';
      readonly at: number;
      readonly what: 'size' | 'alignment';
      readonly operand: Expression;
    }
  | {
      readonly kind: 'measure-type';
      readonly at: number;
      readonly what: 'size' | 'alignment';
      readonly type: TypeSyntax;
    }
  | { readonly kind: 'statement-expression'; readonly at: number; readonly body: Compound }
  | { readonly kind: 'label-address'; readonly at: number; readonly label: string }
  | {
      readonly kind: 'generic';
      readonly at: number;
      readonly selector: Expression;
      /** `type` is `null` for `default`. */
      readonly choices: readonly {
        readonly type: TypeSyntax | null;
        readonly value: Expression;
      }[];
    }
  | {
      readonly kind: 'offsetof';
      readonly at: number;
      readonly type: TypeSyntax;
      readonly path: readonly OffsetStep[];
    }
  | {
      readonly kind: 'types-compatible';
      readonly at: number;
      readonly a: TypeSyntax;
      readonly b: TypeSyntax;
    }
  | {
      readonly kind: 'choose';
      readonly at: number;
      readonly test: Expression;
      readonly yes: Expression;
      readonly no: Expression;
    }
  | {
      readonly kind: 'va-arg';
      readonly at: number;
      readonly list: Expression;
      readonly type: TypeSyntax;
    };

export interface CallExpression {
  readonly kind: 'call';
  readonly at: number;
  readonly callee: Expression;
  readonly arguments: readonly Expression[];
}

export interface IntegerLiteral {
  readonly kind: 'integer';
  readonly at: number;
  readonly value: bigint;
  readonly type: BaseType;
}

export type OffsetStep =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly index: Expression };

export type UnaryOperator = '-' | '+' | '!' | '~' | '*' | '&';

export type BinaryOperator =
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
  | '|'
  | '&&'
  | '||';

export type BaseType =
  | 'void'
  | 'bool'
  | 'char'
  | 'signed char'
  | 'unsigned char'
  | 'short'
  | 'unsigned short'
  | 'int'
  | 'unsigned int'
  | 'long'
  | 'unsigned long'
  | 'long long'
  | 'unsigned long long'
  | 'int128'
  | 'unsigned int128'
  | 'float'
  | 'double'
  | 'long double'
  | 'va_list';

export type TypeSyntax =
  | { readonly kind: 'base'; readonly name: BaseType }
  | { readonly kind: 'qualified'; readonly of: TypeSyntax; readonly qualifiers: Qualifiers }
  | { readonly kind: 'typedef'; readonly name: string; readonly type: TypeSyntax }
  /** A struct or union, by its number in `Unit.records`. */
  | { readonly kind: 'record'; readonly record: number }
  /** An enum, by its number in `Unit.enums`. */
  | { readonly kind: 'enum'; readonly enum: number }
  | { readonly kind: 'pointer'; readonly to: TypeSyntax }
  | { readonly kind: 'array'; readonly of: TypeSyntax; readonly size: Expression | null }
  | FunctionType
  | { readonly kind: 'typeof'; readonly at: number; readonly expression: Expression }
  | { readonly kind: 'auto'; readonly at: number }
  | { readonly kind: 'attributed'; readonly of: TypeSyntax; readonly attributes: Attributes };

export interface Qualifiers {
  readonly const: boolean;
  readonly volatile: boolean;
}

export interface FunctionType {
  readonly kind: 'function';
  readonly returns: TypeSyntax;
  readonly parameters: readonly Parameter[];
  readonly variadic: boolean;
}

export interface Parameter {
  readonly at: number;
  readonly name: string | null;
  readonly type: TypeSyntax;
}

/** The attributes that change what code means; all others are read and dropped. */
export interface Attributes {
  readonly packed: boolean;
  /** `aligned(n)`; 'default' for `aligned` alone, the largest alignment of the machine. */
  readonly aligned: readonly (Expression | 'default')[];
  /** `mode(DI)` and the like. */
  readonly mode: string | null;
  /** `cleanup(f)`: called with the variable's address when it goes out of scope. */
  readonly cleanup: string | null;
  /** `alias("f")`. */
  readonly alias: string | null;
  readonly section: string | null;
  readonly weak: boolean;
  readonly noreturn: boolean;
  /** `error("...")`: a call that must have been removed as dead code. */
  readonly error: string | null;
  readonly transparentUnion: boolean;
}

export interface RecordSyntax {
  readonly kind: 'struct' | 'union';
  readonly tag: string | null;
  readonly at: number;
  /** `null` while only declared. */
  members: readonly Member[] | null;
  attributes: Attributes | null;
  /** The limit of `#pragma pack` where the members stand; `null` for none. */
  pack: number | null;
}

export interface Member {
  readonly at: number;
  /** `null` for an anonymous struct or union and for an unnamed bit-field. */
  readonly name: string | null;
  readonly type: TypeSyntax;
  readonly bits: Expression | null;
  readonly attributes: Attributes | null;
}

export interface EnumSyntax {
  readonly tag: string | null;
  readonly at: number;
  enumerators: readonly Enumerator[] | null;
  attributes: Attributes | null;
}

export interface Enumerator {
  readonly at: number;
  readonly name: string;
  readonly value: Expression | null;
}

export type Initializer =
  | { readonly kind: 'expression'; readonly at: number; readonly expression: Expression }
  | { readonly kind: 'list'; readonly at: number; readonly items: readonly InitializerItem[] };

export interface InitializerItem {
  readonly designators: readonly Designator[];
  readonly value: Initializer;
}

export type Designator =
  | { readonly kind: 'field'; readonly at: number; readonly name: string }
  | { readonly kind: 'index'; readonly at: number; readonly index: Expression }
  | {
      readonly kind: 'range';
      readonly at: number;
      readonly low: Expression;
      readonly high: Expression;
    };

export type Storage = 'typedef' | 'extern' | 'static' | 'auto' | 'register';

export interface Declaration {
  readonly kind: 'declaration';
  readonly at: number;
  readonly storage: Storage | null;
  readonly inline: boolean;
  readonly declarators: readonly Declarator[];
}

export interface Declarator {
  readonly at: number;
  readonly name: string;
  readonly type: TypeSyntax;
  readonly initializer: Initializer | null;
  readonly attributes: Attributes | null;
  /** `register unsigned long sp asm("sp")`. */
  readonly asmName: string | null;
}

export interface FunctionDefinition {
  readonly kind: 'function-definition';
  readonly at: number;
  readonly name: string;
  readonly type: FunctionType;
  readonly storage: Storage | null;
  readonly inline: boolean;
  readonly attributes: Attributes | null;
  /** The tokens of the body: its `{` and the token after its `}`. */
  readonly bodyStart: number;
  readonly bodyEnd: number;
}

export interface Compound {
  readonly kind: 'compound';
  readonly at: number;
  /** The closing brace. */
  readonly end: number;
  readonly items: readonly Statement[];
}

export type Statement =
  | Compound
  | Declaration
  | { readonly kind: 'expression'; readonly at: number; readonly expression: Expression }
  | { readonly kind: 'empty'; readonly at: number }
  /** `__label__ a, b;`: these labels belong to the block, not to the function. */
  | { readonly kind: 'local-labels'; readonly at: number; readonly names: readonly string[] }
  | {
      readonly kind: 'if';
      readonly at: number;
      readonly test: Expression;
      readonly yes: Statement;
      readonly no: Statement | null;
    }
  | {
      readonly kind: 'while';
      readonly at: number;
      readonly test: Expression;
      readonly body: Statement;
    }
  | {
      readonly kind: 'do';
      readonly at: number;
      readonly body: Statement;
      readonly test: Expression;
    }
  | {
      readonly kind: 'for';
      readonly at: number;
      readonly init: Declaration | Expression | null;
      readonly test: Expression | null;
      readonly step: Expression | null;
      readonly body: Statement;
    }
  | {
      readonly kind: 'switch';
      readonly at: number;
      readonly value: Expression;
      readonly body: Statement;
    }
  | {
      readonly kind: 'case';
      readonly at: number;
      readonly low: Expression;
      /** `case low ... high:`. */
      readonly high: Expression | null;
      readonly body: Statement;
    }
  | { readonly kind: 'default'; readonly at: number; readonly body: Statement }
  | {
      readonly kind: 'label';
      readonly at: number;
      readonly name: string;
      readonly body: Statement;
    }
  | { readonly kind: 'goto'; readonly at: number; readonly label: string }
  | { readonly kind: 'goto-address'; readonly at: number; readonly target: Expression }
  | { readonly kind: 'break'; readonly at: number }
  | { readonly kind: 'continue'; readonly at: number }
  | { readonly kind: 'return'; readonly at: number; readonly value: Expression | null }
  | AsmStatement
  | StaticAssert;

export interface AsmStatement {
  readonly kind: 'asm';
  readonly at: number;
  readonly volatile: boolean;
  readonly template: string;
  readonly outputs: readonly AsmOperand[];
  readonly inputs: readonly AsmOperand[];
  readonly clobbers: readonly string[];
  /** The labels of `asm goto`. */
  readonly labels: readonly string[];
}

export interface AsmOperand {
  readonly at: number;
  /** The name in `[name] "r" (x)`. */
  readonly name: string | null;
  readonly constraint: string;
  readonly expression: Expression;
}

export interface StaticAssert {
  readonly kind: 'static-assert';
  readonly at: number;
  readonly test: Expression;
  readonly message: string;
}
