import { DEFAULT_FEATURES } from '../../arm64/features.ts';
import { FrontendError, type Outcome } from '../../frontend/kernel-c/diagnostic.ts';
import type { AppendedText, Kernel } from '../../frontend/kernel-c/profile/kernel.ts';
import { defaultScenario, type Guest, type GuestViewKind } from '../scenario.ts';
import type { KernelScenario, LoadedTree } from './family.ts';
import { readScenarioFile, type ScenarioSettings, type ScenarioSource } from './scenario-file.ts';

/** A scenario as it stands in a tree: the functions of its file have names of their own there. */
export interface Placed {
  readonly scenario: KernelScenario;
  readonly settings: ScenarioSettings;
  readonly view: GuestViewKind;
  /** What its vCPUs do. */
  readonly guest: Guest;
  readonly setup: string;
  /** One for each CPU of the host. */
  readonly hosts: readonly string[];
}

/** What the files for a profile come to. */
export interface PlacedFiles {
  /** A scenario for each view of each file. */
  readonly placed: readonly Placed[];
  /** The text of each file, once. */
  readonly texts: readonly AppendedText[];
}

/**
 * The scenarios of those files that a profile can run. They are found by their names, so a name that is there already
 * is an error: one of the two would never be run. `others`: names of scenarios that come from no file.
 */
export function placeFiles(
  files: readonly ScenarioSource[],
  profile: string,
  others: readonly string[] = [],
): PlacedFiles {
  const placed: Placed[] = [];
  const texts: AppendedText[] = [];
  for (const [index, source] of files.entries()) {
    const settings = valueOf(readScenarioFile(source));
    if (!settings.profiles.includes(profile)) continue;
    const names: Names = {
      setup: `tlbgate_setup_${index}`,
      hosts: Array.from(
        { length: settings.hosts },
        (_, cpu) => `tlbgate_${hostName(cpu)}_${index}`,
      ),
    };
    for (const view of settings.views) {
      const one = place(settings, view, names);
      const { name } = one.scenario;
      if (others.includes(name) || placed.some(({ scenario }) => scenario.name === name)) {
        const message = `there is a scenario with the name "${name}" already: give this one another`;
        throw new FrontendError(source.path, 1, 1, message);
      }
      placed.push(one);
    }
    texts.push(...namedText(source, names));
  }
  return { placed, texts };
}

type Names = Pick<Placed, 'setup' | 'hosts'>;

/** Scenarios that are run with the bounds of their situation, whatever these are. */
export function narrowing(placed: readonly Placed[]): readonly Placed[] {
  return placed.map((one) => ({ ...one, scenario: { ...one.scenario, narrows: true } }));
}

/** A scenario of a file with the bounds that its situation now has. */
export function inSituation(placed: Placed, { situation }: KernelScenario): Placed {
  const { guest, vcpus, window, reschedule } = situation;
  const kinds =
    guest.kind === 'general'
      ? guest.kinds
      : guest.kind === 'trace'
        ? [...new Set(guest.vcpus.flat().map(({ access }) => access))]
        : placed.settings.kinds;
  return { ...placed, guest, settings: { ...placed.settings, kinds, vcpus, window, reschedule } };
}

/** The text of a file, between macros that give its functions names of their own. */
function namedText(source: ScenarioSource, { setup, hosts }: Names): readonly AppendedText[] {
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

function place(settings: ScenarioSettings, view: GuestViewKind, names: Names): Placed {
  const { why, profiles, kinds, vcpus, window, reschedule } = settings;
  const name = nameWith(settings, view);
  const guest: Guest = { kind: 'general', kinds };
  return {
    ...names,
    settings,
    view,
    guest,
    scenario: {
      name,
      why,
      profile: profiles[0] ?? '',
      entries: names.hosts,
      situation: {
        ...defaultScenario(`kernel/${name}`, DEFAULT_FEATURES),
        guest,
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

/** The names of the scenarios of a file, one for each view. */
export function scenarioNames(settings: ScenarioSettings): readonly string[] {
  return settings.views.map((view) => nameWith(settings, view));
}

/** A file with several views names them, but for a guest with its MMU off, which is the ordinary case. */
function nameWith({ name, views }: ScenarioSettings, view: GuestViewKind): string {
  if (views.length === 1 || view === 'mmu-off') return name;
  return `${name}, guest maps it ${view === 'device' ? 'Device' : view}`;
}

/** What is searched, and what is only counted. */
export function scenariosOf(placed: readonly Placed[]): Pick<LoadedTree, 'scenarios' | 'figures'> {
  const of = (run: ScenarioSettings['run']): readonly KernelScenario[] =>
    placed.filter(({ settings }) => settings.run === run).map(({ scenario }) => scenario);
  return { scenarios: of('search'), figures: of('count') };
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
