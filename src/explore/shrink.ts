import { DEFAULT_FEATURES, type Features } from '../arm64/features.ts';
import type { EffectInfo } from '../machine/effect-info.ts';
import type { Machine } from '../machine/machine.ts';
import { EVENT, type Transition } from '../machine/transition.ts';
import type { MachineSetup } from '../machine/setup.ts';
import type { Scenario, TraceAccess } from '../scenario/scenario.ts';
import { agentOf } from '../trace/cost.ts';
import type { Label } from '../trace/label.ts';
import { renameLabels } from './rename.ts';
import { KNOBS } from './scenario-cost.ts';

/** A smaller situation to try, with labels that are worth trying in it. */
export interface Proposal {
  readonly scenario: Scenario;
  readonly labels: readonly Label[];
  /** The host does other things there, so the labels alone may not say enough. */
  readonly otherHost: boolean;
}

/** A counterexample to make smaller. */
export interface Start {
  readonly scenario: Scenario;
  readonly labels: readonly Label[];
  readonly steps: readonly Transition[];
  readonly machine: Machine;
  /** Setup of another scenario; null when its features cannot hold it. */
  readonly setupOf: (scenario: Scenario) => MachineSetup | null;
  /** Whether features may be set back to their defaults: not when they are what is asked about. */
  readonly features: boolean;
}

/**
 * What might be smaller, from large changes to small ones. Nothing here is known to work: whoever
 * uses it replays each proposal and keeps it only when it breaks the same rule and costs less.
 */
export function* proposals(start: Start): Generator<Proposal> {
  yield* fewerAgents(start);
  yield* namedAccesses(start);
  yield* fewerPages(start);
  yield* fewerAccesses(start);
  yield* plainer(start);
  yield* calmer(start);
  yield* fewerLabels(start);
}

function* fewerAgents({ scenario, labels }: Start): Generator<Proposal> {
  if (scenario.secondVm) {
    const last = scenario.hosts + scenario.vcpus;
    yield {
      scenario: { ...scenario, secondVm: false },
      labels: withoutPe(labels, last),
      otherHost: false,
    };
  }
  for (let vcpu = scenario.vcpus - 1; vcpu >= 0 && scenario.vcpus > 1; vcpu -= 1) {
    const { guest } = scenario;
    const fewer: Scenario = {
      ...scenario,
      vcpus: scenario.vcpus - 1,
      guest:
        guest.kind === 'trace'
          ? { ...guest, vcpus: guest.vcpus.filter((_, k) => k !== vcpu) }
          : guest,
    };
    const kept = withoutPe(labels, scenario.hosts + vcpu);
    yield {
      scenario: fewer,
      labels: kept.map((label) => withoutVcpu(label, vcpu)),
      otherHost: false,
    };
  }
  if (scenario.hosts === 2) {
    const fewer: Scenario = { ...scenario, hosts: 1 };
    yield { scenario: fewer, labels: withoutPe(labels, 1), otherHost: false };
    yield { scenario: fewer, labels: withoutPe(labels, 0), otherHost: false };
  }
}

/** Labels without those of a PE; the PEs after it move up. */
function withoutPe(labels: readonly Label[], pe: number): readonly Label[] {
  return labels.flatMap((label) => {
    const number = Number(/^cpu(\d+)$/.exec(label.agent)?.[1] ?? -1);
    if (number === pe) return [];
    return [number > pe ? { ...label, agent: `cpu${number - 1}` } : label];
  });
}

/** vCPUs after the one that is gone get other names, and store other values. */
function withoutVcpu(label: Label, gone: number): Label {
  const where = label.where.replace(
    /vcpu(\d+): (write (\d+))?/g,
    (text, name: string, _, value) => {
      const vcpu = Number(name);
      if (vcpu <= gone) return text;
      return `vcpu${vcpu - 1}: ${value === undefined ? '' : `write ${Number(value) - 1}`}`;
    },
  );
  return { ...label, where };
}

/** A general guest becomes one that makes just the accesses it made in this run. */
function* namedAccesses({ scenario, labels, steps, machine }: Start): Generator<Proposal> {
  if (scenario.guest.kind === 'trace') return;
  const vcpus: TraceAccess[][] = Array.from({ length: scenario.vcpus }, () => []);
  let state = machine.initial;
  for (const t of steps) {
    const mine = vcpus[t.pe - scenario.hosts];
    if (t.event === EVENT.translate && mine !== undefined) {
      machine.inspect.load(state);
      const info = machine.inspect.window(t.pe).infos[t.index] as EffectInfo;
      const page = machine.setup.watchedVas.indexOf(info.constantAddress ?? -1n);
      if (page >= 0) mine.push({ access: info.access, page });
    }
    state = t.next;
  }
  yield {
    scenario: { ...scenario, guest: { kind: 'trace', vcpus } },
    labels: labels.map((label) => withOwnProgram(label, scenario)),
    otherHost: false,
  };
}

/** The vCPUs of a general guest run one program; those with lists of accesses each run their own. */
function withOwnProgram(label: Label, { hosts, guest }: Scenario): Label {
  const vcpu = Number(/^cpu(\d+)$/.exec(label.agent)?.[1] ?? -1) - hosts;
  if (vcpu <= 0 || guest.kind !== 'general') return label;
  const where = label.where.replace(
    /vcpu0: (write 1 )?/g,
    (_, write?: string) => `vcpu${vcpu}: ${write === undefined ? '' : `write ${vcpu + 1} `}`,
  );
  return { ...label, where };
}

function* fewerPages(start: Start): Generator<Proposal> {
  const { scenario } = start;
  for (let page = scenario.pages - 1; page >= 0 && scenario.pages > 1; page -= 1) {
    const newIndex = (old: number): number | null =>
      old === page ? null : old > page ? old - 1 : old;
    const { guest } = scenario;
    const fewer: Scenario = {
      ...scenario,
      pages: scenario.pages - 1,
      guest:
        guest.kind === 'trace'
          ? {
              ...guest,
              vcpus: guest.vcpus.map((accesses) =>
                accesses.flatMap((access) => {
                  const now = newIndex(access.page);
                  return now === null ? [] : [{ ...access, page: now }];
                }),
              ),
            }
          : guest,
    };
    yield* renamed(start, fewer, newIndex);
    if (scenario.mapping !== 'mixed') continue;
    // The page that is left may be the one with the block, and alone it would get a page.
    yield* renamed(start, { ...fewer, mapping: 'block' }, newIndex);
    yield* renamed(start, { ...fewer, mapping: 'page' }, newIndex);
  }
}

/** The scenario with the labels as they read there. */
function* renamed(
  { labels, machine, setupOf }: Start,
  scenario: Scenario,
  newIndex: (page: number) => number | null = (page) => page,
): Generator<Proposal> {
  const setup = setupOf(scenario);
  if (setup === null) return;
  const now = renameLabels(labels, machine.setup, setup, newIndex);
  yield { scenario, labels: now, otherHost: true };
}

function* fewerAccesses({ scenario, labels }: Start): Generator<Proposal> {
  const { guest, hosts } = scenario;
  if (guest.kind !== 'trace') return;
  const change = (vcpu: number, accesses: readonly TraceAccess[]): Scenario => ({
    ...scenario,
    guest: { ...guest, vcpus: guest.vcpus.map((old, k) => (k === vcpu ? accesses : old)) },
  });
  for (let vcpu = 0; vcpu < guest.vcpus.length; vcpu += 1) {
    const accesses = guest.vcpus[vcpu] ?? [];
    for (let size = accesses.length; size >= 1; size = Math.floor(size / 2)) {
      for (let at = 0; at + size <= accesses.length; at += size) {
        const fewer = [...accesses.slice(0, at), ...accesses.slice(at + size)];
        const kept = withoutAccesses(labels, `cpu${hosts + vcpu}`, at, size);
        yield { scenario: change(vcpu, fewer), labels: kept, otherHost: false };
      }
    }
    for (const [at, { access, page }] of accesses.entries()) {
      if (access === 'read') continue;
      const weaker = accesses.map((old, k) =>
        k === at ? ({ access: 'read', page } as const) : old,
      );
      yield { scenario: change(vcpu, weaker), labels, otherHost: false };
    }
  }
}

/** Labels of an agent without those of some of its accesses; an access begins with its translation. */
function withoutAccesses(
  labels: readonly Label[],
  agent: string,
  at: number,
  size: number,
): readonly Label[] {
  let access = -1;
  return labels.filter((label) => {
    if (label.agent !== agent || label.event === 'deliver') return true;
    if (label.event === 'translate') access += 1;
    return access < at || access >= at + size;
  });
}

function* plainer(start: Start): Generator<Proposal> {
  const { scenario } = start;
  for (const knob of Object.keys(KNOBS) as (keyof typeof KNOBS)[]) {
    for (const value of KNOBS[knob]) {
      if (value === scenario[knob]) break;
      yield* renamed(start, { ...scenario, [knob]: value });
    }
  }
  for (let window = 1; window < scenario.window; window *= 2) {
    yield { scenario: { ...scenario, window }, labels: start.labels, otherHost: false };
  }
  if (scenario.freePages > 0) yield* renamed(start, { ...scenario, freePages: 0 });
  if (!start.features) return;
  for (const name of Object.keys(DEFAULT_FEATURES) as (keyof Features)[]) {
    if (scenario.features[name] === DEFAULT_FEATURES[name]) continue;
    const features = { ...scenario.features, [name]: DEFAULT_FEATURES[name] };
    yield* renamed(start, { ...scenario, features });
  }
}

interface Block {
  readonly agent: string;
  readonly from: number;
  readonly to: number;
}

function blocksOf(labels: readonly Label[]): readonly Block[] {
  const blocks: Block[] = [];
  for (let from = 0; from < labels.length;) {
    const agent = agentOf(labels[from] as Label);
    let to = from + 1;
    while (to < labels.length && agentOf(labels[to] as Label) === agent) to += 1;
    blocks.push({ agent, from, to });
    from = to;
  }
  return blocks;
}

/** Two blocks of one agent become one: the later is pulled forward, or the earlier pushed back. */
function* calmer({ scenario, labels }: Start): Generator<Proposal> {
  const blocks = blocksOf(labels);
  for (const [i, block] of blocks.entries()) {
    const next = blocks.slice(i + 1).find((other) => other.agent === block.agent);
    if (next === undefined) continue;
    const before = labels.slice(0, block.from);
    const mine = labels.slice(block.from, block.to);
    const between = labels.slice(block.to, next.from);
    const theirs = labels.slice(next.from, next.to);
    const after = labels.slice(next.to);
    yield {
      scenario,
      labels: [...before, ...mine, ...theirs, ...between, ...after],
      otherHost: false,
    };
    yield {
      scenario,
      labels: [...before, ...between, ...mine, ...theirs, ...after],
      otherHost: false,
    };
  }
}

/** Without a stretch of labels: halves, quarters, down to single ones. */
function* fewerLabels({ scenario, labels }: Start): Generator<Proposal> {
  for (let size = Math.floor(labels.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < labels.length; at += size) {
      yield {
        scenario,
        labels: [...labels.slice(0, at), ...labels.slice(at + size)],
        otherHost: false,
      };
    }
  }
}
