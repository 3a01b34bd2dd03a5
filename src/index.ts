/** Public entry of tlbgate: re-exports only. */
export type { Brand } from './util/brand.ts';
