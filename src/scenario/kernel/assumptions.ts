import type { Kernel } from '../../frontend/kernel-c/profile/kernel.ts';
import type { Environment } from '../../frontend/kernel-c/runtime/environment.ts';
import { watchEnvironment } from '../../frontend/kernel-c/runtime/watch-environment.ts';
import type { Assumption } from './family.ts';

/** Notes of what the code under test read of its environment. */
export interface AssumptionLog {
  readonly watch: (environment: Environment) => Environment;
  readonly read: readonly Assumption[];
  /** A reading of the architecture that some scenario takes, whatever was asked for. */
  readonly takes: (name: string, value: string) => void;
}

/** An empty log. */
export function assumptionLog(): AssumptionLog {
  const seen = new Set<string>();
  const read: Assumption[] = [];
  const note = (kind: Assumption['kind'], name: string, value: string): void => {
    const key = `${kind} ${name} ${value}`;
    if (seen.has(key)) return;
    seen.add(key);
    read.push({ kind, name, value });
  };
  return {
    read,
    takes: (name, value) => note('reading', name, value),
    watch: (environment) => watchEnvironment(environment, note),
  };
}

/** Everything that was taken for granted: what was read of the environment, and what loading needed. */
export function assumptionsOf(
  kernels: readonly Kernel[],
  { read }: AssumptionLog,
): readonly Assumption[] {
  const all = new Map<string, Assumption>();
  const add = (kind: Assumption['kind'], name: string, value: string): void => {
    all.set(`${kind} ${name} ${value}`, { kind, name, value });
  };
  for (const { kind, name, value } of read) add(kind, name, value);
  for (const { program, loaded } of kernels) {
    for (const name of program.handedOut)
      add('intercept', name, 'its meaning stands in the runtime');
    for (const [name, ours] of program.options.standIns) {
      if (program.functions.has(`0:${ours}`)) add('intercept', name, 'C of the profile instead');
    }
    for (const name of loaded.lockedMacros) add('locked-macro', name, 'used in our form');
    for (const name of loaded.unsetConfig) add('config', name, 'not set');
    for (const name of loaded.synthesised) add('header', name, 'made, for the tree has none');
  }
  return [...all.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function keyOf({ kind, name, value }: Assumption): string {
  return `${kind} ${name} ${value}`;
}
