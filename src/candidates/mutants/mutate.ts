import { granuleCode } from '../../arm64/tlbi-operand.ts';
import type { Effect } from '../../program/effect.ts';
import { constant, evaluate, type Expr } from '../../program/expr.ts';
import type { Candidate } from '../candidate.ts';
import type { HostCode } from '../host-code.ts';
import type { Kvm } from '../kvm-v5_8/kvm.ts';
import { mapEffects } from '../map-effects.ts';
import type { Request } from '../operation.ts';
import { runAlone } from '../run-alone.ts';
import { openVm, unmapRequest } from '../world/open-vm.ts';
import type { World } from '../world/world.ts';
import { siteOf, type Site } from './site.ts';
import { hoist, isSilent, swap } from './transform.ts';

/** What a mutant does to the code. */
export type MutationKind =
  | 'drop'
  | 'swap'
  | 'narrow-scope'
  | 'leaf-only'
  | 'level-hint'
  | 'skip-page'
  | 'wrong-vmid'
  | 'free-before-flush';

/** A candidate with one small mistake, as a person might make it. */
export interface Mutant {
  /** `<candidate>#<kind>@<site>`: the same for the same source, whatever the order of generation. */
  readonly id: string;
  readonly kind: MutationKind;
  readonly site: Site;
  readonly description: string;
  /** The mutated candidate; its `expected` is that of the original and says nothing about it. */
  readonly candidate: Candidate;
}

type Transform = (code: HostCode, kvm: Kvm, request: Request) => HostCode;

/**
 * All mutants of a candidate's host code that make a difference in a world: its sites are found by
 * running the code alone on the first VM, with the lock dropped whenever it may be (`choices` 1).
 */
export function mutants(candidate: Candidate, world: World): readonly Mutant[] {
  const vm = world.vms[0];
  if (vm === undefined) return [];
  const request = unmapRequest(world, vm, 'nothing', vm.sparePages[0] ?? null);
  const { effects } = runAlone(
    candidate.host(openVm(world, vm), request),
    world,
    Array.from({ length: 16 }, () => 1),
  );
  const found = new Map<string, Mutant>();

  function add(kind: MutationKind, site: Site, description: string, transform: Transform): void {
    const id = `${candidate.id}#${kind}@${site}`;
    if (found.has(id)) return;
    found.set(id, {
      id,
      kind,
      site,
      description,
      candidate: {
        ...candidate,
        id,
        title: `${candidate.title}; mutant: ${description}`,
        host: (kvm, asked) => transform(candidate.host(kvm, asked), kvm, asked),
      },
    });
  }

  /** Changes every occurrence of a site. */
  function edit(
    kind: MutationKind,
    site: Site,
    description: string,
    replace: (effect: Effect) => readonly Effect[],
  ): void {
    add(kind, site, description, (code) =>
      mapEffects(code, (effect) => (siteOf(effect) === site ? replace(effect) : [effect])),
    );
  }

  for (const [index, effect] of effects.entries()) {
    const site = siteOf(effect);
    if (isDroppable(effect)) edit('drop', site, `without ${site}`, () => []);
    addSingle(effect, site, edit);
    const next = effects[index + 1];
    if (next !== undefined && areSwappable(effect, next)) {
      const second = siteOf(next);
      add('swap', `${site} and ${second}`, `${second} comes before ${site}`, (code) =>
        swap(
          code,
          (each) => siteOf(each) === site,
          (each) => siteOf(each) === second,
        ),
      );
    }
    if (effect.kind === 'free-page') {
      const start = firstOfFlush(effects, index);
      if (start !== null) {
        add('free-before-flush', site, `${site} comes before the flush`, (code) =>
          hoist(
            code,
            (each) => siteOf(each) === start,
            (each) => siteOf(each) === site,
          ),
        );
      }
    }
  }
  addSkippedPages(add, effects);
  return [...found.values()];
}

type Edit = (
  kind: MutationKind,
  site: Site,
  description: string,
  replace: (effect: Effect) => readonly Effect[],
) => void;

/** Mutants that change one effect in place. */
function addSingle(effect: Effect, site: Site, edit: Edit): void {
  switch (effect.kind) {
    case 'tlbi':
      if (effect.op.endsWith('IS')) {
        edit('narrow-scope', site, `${site} acts on the own PE only`, (each) =>
          each.kind === 'tlbi' ? [{ ...each, op: each.op.replace(/IS$/, '') }] : [each],
        );
      }
      if (effect.op.startsWith('IPAS2E1')) {
        edit('leaf-only', site, `${site} removes leaf entries only`, (each) =>
          each.kind === 'tlbi' ? [{ ...each, op: each.op.replace('IPAS2E1', 'IPAS2LE1') }] : [each],
        );
        edit('level-hint', site, `${site} carries the hint "leaf at level 2"`, (each) =>
          each.kind === 'tlbi'
            ? [{ ...each, operand: constant(withLevel2Hint(known(each.operand))) }]
            : [each],
        );
      }
      return;
    case 'dsb':
      if (effect.domain !== 'nsh') {
        edit('narrow-scope', site, `${site} acts on the own PE only`, (each) =>
          each.kind === 'dsb' ? [{ ...each, domain: 'nsh' }] : [each],
        );
      }
      return;
    case 'context':
      if (effect.change.vmid !== undefined && effect.change.vmid !== 0) {
        edit('wrong-vmid', site, `${site} loads the VMID of another VM`, (each) =>
          each.kind === 'context' && each.change.vmid !== undefined
            ? [{ ...each, change: { ...each.change, vmid: each.change.vmid + WRONG_VMID } }]
            : [each],
        );
      }
      return;
    default:
  }
}

/** Added to a VMID to make it another VM's. */
const WRONG_VMID = 100;

/** TTL of a leaf at level 2, 4K granule; on other machines the hint is wrong or ignored as well. */
function withLevel2Hint(operand: bigint): bigint {
  return operand | (BigInt((granuleCode('4k') << 2) | 2) << 44n);
}

/** The page whose turn comes last is forgotten, in one step of the operation. */
function addSkippedPages(
  add: (kind: MutationKind, site: Site, description: string, transform: Transform) => void,
  effects: readonly Effect[],
): void {
  const lastOf = new Map<Site, Effect>();
  const times = new Map<Site, number>();
  for (const effect of effects) {
    if (addressOf(effect) === null) continue;
    const site = siteOf(effect);
    lastOf.set(site, effect);
    times.set(site, (times.get(site) ?? 0) + 1);
  }
  for (const [site, last] of lastOf) {
    if ((times.get(site) ?? 0) < 2) continue;
    const address = addressOf(last);
    const text = `${site} is left out for 0x${(address ?? 0n).toString(16)}`;
    add('skip-page', site, text, (code) =>
      mapEffects(code, (effect) =>
        siteOf(effect) === site && addressOf(effect) === address ? [] : [effect],
      ),
    );
  }
}

/** What an effect is about, when it is about one page: the operand of a TLBI, the place of a DC or a store. */
function addressOf(effect: Effect): bigint | null {
  switch (effect.kind) {
    case 'tlbi': {
      const operand = known(effect.operand);
      return operand === 0n ? null : operand;
    }
    case 'dc':
      return known(effect.at.address);
    case 'store':
      return isSilent(effect) ? known(effect.at.address) : null;
    default:
      return null;
  }
}

function isDroppable(effect: Effect): boolean {
  switch (effect.kind) {
    case 'dmb':
    case 'dsb':
    case 'isb':
    case 'tlbi':
    case 'dc':
    case 'ic':
    case 'context':
      return true;
    default:
      return false;
  }
}

/** Steps whose order a person might get wrong. */
function isMaintenance(effect: Effect): boolean {
  return (
    ['dsb', 'tlbi', 'dc', 'ic', 'free-page', 'unlock'].includes(effect.kind) ||
    (effect.kind === 'store' && isSilent(effect))
  );
}

function areSwappable(first: Effect, second: Effect): boolean {
  if (!isMaintenance(first) || !isMaintenance(second)) return false;
  if (siteOf(first) === siteOf(second)) return false;
  return !(first.kind === 'dsb' && second.kind === 'dsb');
}

/** Site of the first step after the clear of the parent entry, for the free at `index`. */
function firstOfFlush(effects: readonly Effect[], index: number): Site | null {
  for (let i = index - 1; i >= 0; i -= 1) {
    const effect = effects[i];
    if (effect === undefined || !isSilent(effect)) return null;
    if (effect.kind === 'store') {
      const first = effects[i + 1];
      return first === undefined || i + 1 === index ? null : siteOf(first);
    }
  }
  return null;
}

function known(expr: Expr): bigint {
  return evaluate(expr, () => undefined) ?? 0n;
}
