/**
 * A nominal type over a structural one: `Brand<bigint, 'Ipa'>` and `Brand<bigint, 'Pa'>` do not mix,
 * so an intermediate physical address never passes for a physical one.
 */
export type Brand<Base, Name extends string> = Base & { readonly __brand: Name };
