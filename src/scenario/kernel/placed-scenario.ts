import { DEFAULT_FEATURES } from '../../arm64/features.ts';
import { FrontendError, type Outcome } from '../../frontend/kernel-c/diagnostic.ts';
import type { AppendedText, Kernel } from '../../frontend/kernel-c/profile/kernel.ts';
import { defaultScenario } from '../scenario.ts';
import type { KernelScenario } from './family.ts';
import { readScenarioFile, type ScenarioSettings, type ScenarioSource } from './scenario-file.ts';

/** A scenario file as it stands in a tree: its functions have names of their own there. */
export interface Placed {
  readonly scenario: KernelScenario;
  readonly settings: ScenarioSettings;
  readonly source: ScenarioSource;
  readonly setup: string;
  /** One for each CPU of the host. */
  readonly hosts: readonly string[];
}

/** The text of a file, between macros that give its functions names of their own. */
export function namedText({ source, setup, hosts }: Placed): readonly AppendedText[] {
  const names = [['setup', setup], ...hosts.map((name, cpu) => [hostName(cpu), name])];
  const define = names.map(([short, name]) => `#define ${short}(...) ${name}(__VA_ARGS__)\n`);
  const undefine = names.map(([short]) => `#undef ${short}\n`);
  return [
    { path: '<names>', text: define.join('') },
    source,
    { path: '<names>', text: undefine.join('') },
  ];
}

/** What a file calls the function of a CPU of the host. */
export function hostName(cpu: number): string {
  return cpu === 0 ? 'host' : `host${cpu}`;
}

/** A file with the names that its functions get as the `index`-th of a tree. */
export function place(source: ScenarioSource, index: number): Placed {
  const settings = valueOf(readScenarioFile(source));
  const setup = `tlbgate_setup_${index}`;
  const { name, why, profiles, kinds, view, vcpus, window, reschedule } = settings;
  const hosts = Array.from(
    { length: settings.hosts },
    (_, cpu) => `tlbgate_${hostName(cpu)}_${index}`,
  );
  return {
    settings,
    source,
    setup,
    hosts,
    scenario: {
      name,
      why,
      profile: profiles[0] ?? '',
      entries: hosts,
      situation: {
        ...defaultScenario(`kernel/${name}`, DEFAULT_FEATURES),
        guest: { kind: 'general', kinds },
        view,
        vcpus,
        window,
        reschedule,
        hosts: settings.hosts,
        pages: settings.pages,
      },
      shrinks: false,
    },
  };
}

/** Whether the tree has a function, an object or an enumerator of this name. */
export function isDeclared({ program }: Kernel, name: string): boolean {
  return program.units.some(
    ({ unit }) => unit.functions.has(name) || unit.objects.has(name) || unit.enumerators.has(name),
  );
}

/** What was asked for; throws a `FrontendError` where there is none. */
export function valueOf<T>(outcome: Outcome<T>): T {
  if (outcome.kind === 'ok') return outcome.value;
  const { file, line, column, message } = outcome.diagnostic;
  throw new FrontendError(file, line, column, message);
}
