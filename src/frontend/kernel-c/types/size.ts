import type { TypeContext } from './context.ts';
import type { Type } from './type.ts';

/** `sizeof` in bytes; GNU C gives 1 for `void` and for functions. */
export function sizeOf(context: TypeContext, type: Type, at: number): number {
  switch (type.kind) {
    case 'void':
    case 'function':
      return 1;
    case 'integer':
    case 'float':
      return type.size;
    case 'pointer':
      return 8;
    case 'array':
      return (type.length ?? 0) * sizeOf(context, type.of, at);
    case 'record':
      return context.rules.layout(context, type.record, at).size;
    case 'enum':
      return context.rules.enumValues(context, type.enum, at).underlying.size;
    case 'va_list':
      return 32;
  }
}

export function alignmentOf(context: TypeContext, type: Type, at: number): number {
  switch (type.kind) {
    case 'void':
      return 1;
    case 'function':
      return 4;
    case 'array':
      return alignmentOf(context, type.of, at);
    case 'record':
      return Math.max(context.rules.layout(context, type.record, at).alignment, type.alignment);
    case 'integer':
    case 'float':
    case 'pointer':
    case 'enum':
      return sizeOf(context, type, at);
    case 'va_list':
      return 8;
  }
}

export function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
