import { FrontendError } from '../diagnostic.ts';
import type { VmEvent } from '../vm/event.ts';
import { type Program, symbolAt } from '../vm/program.ts';
import { reactToAsm } from './assembly.ts';
import { reactToCall } from './calls.ts';
import type { Environment } from './environment.ts';
import { reactToLoad, reactToStore } from './memory.ts';
import type { Reaction } from './reaction.ts';
import type { RuntimeState } from './state.ts';

/** What an event of the VM means in this environment. */
export function react(
  program: Program,
  event: VmEvent,
  environment: Environment,
  state: RuntimeState,
): Reaction {
  switch (event.kind) {
    case 'load':
      return reactToLoad(event, environment, state);
    case 'store':
      return reactToStore(event, environment, state);
    case 'asm':
      return reactToAsm(event, environment, state);
    case 'call':
      return reactToCall({
        event,
        environment,
        state,
        argument: (index) => argumentOf(event, index),
        lockAt: (address) => lockAt(program, environment, address),
        objectAt: (address) => symbolAt(program, address)?.name ?? null,
        textAt: (address) => symbolAt(program, address)?.text ?? null,
      });
  }
}

function lockAt(program: Program, environment: Environment, address: bigint): number | null {
  const symbol = symbolAt(program, address);
  if (symbol === null) return null;
  const offset = Number(address - symbol.address);
  return (
    environment.locks.find((place) => place.object === symbol.name && place.offset === offset)
      ?.lock ?? null
  );
}

function argumentOf(event: Extract<VmEvent, { kind: 'call' }>, index: number): bigint {
  const value = event.arguments[index];
  if (value !== undefined) return value;
  throw new FrontendError(
    '<runtime>',
    0,
    0,
    `${event.name}() is called without argument ${index + 1}`,
  );
}
