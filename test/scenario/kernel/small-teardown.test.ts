import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES, type Features } from '../../../src/arm64/features.ts';
import { findViolation } from '../../../src/explore/check.ts';
import { createMachine } from '../../../src/machine/machine.ts';
import type { MachineSetup, ThreadSetup } from '../../../src/machine/setup.ts';
import { ALL_RULES } from '../../../src/rules/all-rules.ts';
import type { Rule } from '../../../src/rules/rule.ts';
import type { ScenarioSource } from '../../../src/scenario/kernel/scenario-file.ts';
import { readSmallTeardown } from '../small-pgtable/teardown.ts';
import { readSmallPgtable } from '../small-pgtable/tree.ts';
import { type Edit, opened, verdictOf } from './on-tree.ts';

const SMALL = { read: readSmallTeardown };
const VHE = 'arch/arm64/kvm/hyp/vhe/tlb.c';
const VMIDS = 'arch/arm64/kvm/vmid.c';
const NO_VHE: Partial<Features> = { vhe: false, e2h: false };

function library(name: string): ScenarioSource {
  const path = `scenarios/kvm-pgtable/${name}.c`;
  return { path, text: readFileSync(path, 'utf8') };
}

const REUSED = library('teardown-vmid-reused');
const FRESH = library('teardown-new-vmid');
const FILES = [REUSED, FRESH];
const VMID_REUSED = 'the VM ends, and its VMID goes to another one';
const NEW_VMID = 'the VM ends, and another one gets a VMID of its own';

function setupOf(name: string, change: Partial<Features> = {}): MachineSetup {
  const tree = opened(SMALL, [], FILES);
  const scenario = tree.scenarios.find((each) => each.name === name);
  const made = scenario && tree.prepare(scenario, { ...DEFAULT_FEATURES, ...change });
  if (made?.kind !== 'ready') throw new Error('not ready');
  return made.setup;
}

/** The ids of all rules that are broken. */
function broken(setup: MachineSetup): readonly string[] {
  const rules: Rule[] = [];
  for (;;) {
    const left = ALL_RULES.filter((rule) => !rules.includes(rule));
    const found = findViolation(createMachine(setup), left, { states: 100_000 }, true);
    if (found.kind === 'limit') throw new Error('a limit was reached');
    if (found.kind !== 'violation') return rules.map(({ id }) => id).sort();
    rules.push(found.rule);
  }
}

describe('the end of a VM in a small tree', () => {
  test('frees tables without an invalidation, which is safe: the VMID is not used before one', () => {
    for (const name of [VMID_REUSED, NEW_VMID]) {
      for (const change of [{}, { fwb: true }, NO_VHE]) {
        expect([name, broken(setupOf(name, change))]).toEqual([name, []]);
      }
    }
  });

  test('may clear what it frees without the lock: the tables are unlinked, and nobody else has them', () => {
    const clears: Edit = {
      file: 'arch/arm64/kvm/hyp/pgtable.c',
      what: /pgt->mm_ops->put_page\(below\);/,
      by: '{ $& WRITE_ONCE(table[i], 0); }',
    };
    for (const name of [VMID_REUSED, NEW_VMID]) {
      expect(verdictOf(opened(SMALL, [clears], FILES), name)).toBe('verified');
    }
  });

  test('a VMID that is used again needs the invalidation of all PEs, and the wait for it', () => {
    const wrong: readonly Edit[] = [
      { file: VMIDS, what: /kvm_call_hyp\(flush_everything\);/, by: '' },
      { file: VHE, what: /\(alle1is\)/, by: '(alle1)' },
      { file: VHE, what: /(tlbi\(alle1is\);\s*)dsb\(ish\);/, by: '$1' },
    ];
    for (const edit of wrong) {
      const tree = opened(SMALL, [edit], FILES);
      expect(verdictOf(tree, VMID_REUSED)).toBe('break-before-make');
      expect(verdictOf(tree, NEW_VMID)).toBe('verified');
    }
    const twice: Edit = { file: VMIDS, what: /map\[free \/ 64\] \|=[^;]*;/, by: '' };
    expect(verdictOf(opened(SMALL, [twice], FILES), NEW_VMID)).toBe('break-before-make');
  });

  test('tables may not be freed while a vCPU can still be entered, or is inside of the guest', () => {
    const text = REUSED.text.replace(' * vm: ends\n', '').replace(/\tsecond_vm_runs.*\n/, '');
    const lives = opened(SMALL, [], [{ ...REUSED, text }]);
    expect(verdictOf(lives, VMID_REUSED)).toBe('no-walk-of-freed-table');
    const setup = setupOf(VMID_REUSED, NO_VHE);
    const inside = (thread: ThreadSetup, pe: number): ThreadSetup => {
      const [before] = thread.previousContexts ?? [];
      return pe === 0 || before === undefined ? thread : { ...thread, context: before };
    };
    const left = { ...setup, threads: setup.threads.map(inside) };
    expect(broken(left)).toContain('no-walk-of-freed-table');
  });

  test('with VHE it rests on R_FXGNQ: VTTBR_EL2 still names the tables while the host runs at EL2', () => {
    const anywhere = (setup: MachineSetup, change: Partial<Features>): MachineSetup => ({
      ...setup,
      translation: { ...setup.translation, features: { ...DEFAULT_FEATURES, ...change } },
    });
    expect(broken(anywhere(setupOf(NEW_VMID), {}))).toContain('no-walk-of-freed-table');
    expect(broken(anywhere(setupOf(NEW_VMID, NO_VHE), NO_VHE))).toEqual([]);
    const tree = opened(SMALL, [], FILES);
    expect(verdictOf(tree, NEW_VMID)).toBe('verified');
    const taken = tree.assumed().filter(({ kind }) => kind === 'reading');
    expect(taken.map(({ name }) => name)).toEqual(['reading-fill-out-of-context=off']);
  });

  test('the second VM does run: it reaches its page, and no other', () => {
    const { pages } = setupOf(VMID_REUSED);
    const setup = setupOf(VMID_REUSED);
    const machine = createMachine({
      ...setup,
      pages: pages.map((page) => (page.name === 'guest page 1' ? { ...page, use: 'host' } : page)),
    });
    const found = findViolation(machine, ALL_RULES, { states: 100_000 }, true);
    expect(found.kind === 'violation' ? found.rule.id : found.kind).toBe(
      'no-reuse-under-translation',
    );
  });

  test('what a VM that ends cannot have is said in one sentence', () => {
    const mistakes: readonly (readonly [RegExp, string, string])[] = [
      [/\tvm_has_run\(\);\n/, '', 'must call vm_has_run()'],
      [/( \* vm: ends\n)/, '$1 * view: cacheable\n', 'has its MMU off'],
      [
        /void host\(void\)/,
        'void host1(void)\n{\n}\n\nvoid host(void)',
        'where a VM ends there is one CPU of the host',
      ],
    ];
    for (const [what, by, sentence] of mistakes) {
      const file = { ...FRESH, text: FRESH.text.replace(what, by) };
      const said = (): string => verdictOf(opened(SMALL, [], [file]), NEW_VMID);
      let stopped = '';
      try {
        stopped = said();
      } catch (problem) {
        stopped = problem instanceof Error ? problem.message : '';
      }
      expect(stopped).toContain(sentence);
    }
  });

  test('a tree without an allocator of VMIDs does not have the scenarios', () => {
    const tree = opened({ read: readSmallPgtable }, [], FILES);
    expect(verdictOf(tree, VMID_REUSED)).toBe('no such scenario');
  });
});
