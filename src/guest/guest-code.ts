import type { Answer, Effect, Fault } from '../program/effect.ts';

/** Guest code: yields effects, is resumed with answers. */
export type GuestCode<Result = void> = Generator<Effect, Result, Answer>;

/**
 * What the host does when this vCPU takes a stage-2 fault, from the exception to the return into the
 * guest. `retry`: the guest may try the access again; `no-page`: it will not come through.
 */
export type FaultHandler = (fault: Fault) => GuestCode<'retry' | 'no-page'>;
