import { describe, expect, it } from 'vitest';
import { DEFAULT_FEATURES } from '../../src/arm64/features.ts';
import { decodeStage1 } from '../../src/arm64/stage1-descriptor.ts';
import { generalGuest, persistentGuest } from '../../src/guest/general.ts';
import { traceThread } from '../../src/guest/trace.ts';
import { guestContext, MMU_OFF, smallStage1 } from '../../src/guest/view.ts';
import { DONE, type Answer, type Fault } from '../../src/program/effect.ts';
import { generatorThread } from '../../src/program/generator-thread.ts';

const FAULT: Answer = {
  kind: 'fault',
  fault: {
    stage: 2,
    cause: 'translation',
    level: 3,
    address: 0x1000n,
    onWalk: false,
    access: 'write',
  },
};

const value = (n: bigint): Answer => ({ kind: 'value', value: n });

describe('the general guest', () => {
  const tree = generatorThread(
    'guest',
    generalGuest({ vcpu: 'vcpu0', vas: [0x1000n, 0x2000n], value: 7n, handler: null }),
  );

  it('offers every kind of access to every page', () => {
    expect(tree.effectAt(tree.root)).toMatchObject({ kind: 'choose', options: 6 });
    const kinds = [0n, 1n, 2n, 3n, 4n, 5n].map(
      (choice) => tree.effectAt(tree.next(tree.root, value(choice)))?.kind,
    );
    expect(kinds).toEqual(['load', 'store', 'fetch', 'load', 'store', 'fetch']);
  });

  it('is back at its start after an access, also after a fault', () => {
    const store = tree.next(tree.root, value(1n));
    expect(tree.next(store, DONE)).toBe(tree.root);
    expect(tree.next(store, FAULT)).toBe(tree.root);
  });
});

/** A handler that takes the lock once. */
function* handler(
  _fault: Fault,
): Generator<
  { readonly kind: 'lock'; readonly lock: number; readonly location: typeof HERE },
  'retry',
  Answer
> {
  yield { kind: 'lock', lock: 0, location: HERE };
  return 'retry';
}

const HERE = { file: 'test', line: 0, function: 'handler', text: 'lock' };

it('a persistent guest enters the host and starts again', () => {
  const tree = generatorThread(
    'guest',
    persistentGuest('vcpu0', { kind: 'write', va: 0x1000n, value: 1n }, handler),
  );
  const inHost = tree.next(tree.root, FAULT);
  expect(tree.effectAt(inHost)?.kind).toBe('lock');
  expect(tree.next(inHost, DONE)).toBe(tree.root);
  expect(tree.effectAt(tree.next(tree.root, DONE))).toBeNull();
});

it('a trace ends, skips or goes on after a fault, and can switch vCPUs', () => {
  const access = { kind: 'read', va: 0x1000n } as const;
  const to = guestContext(MMU_OFF, { vmid: 2, root: 0x9000n }, DEFAULT_FEATURES);
  const steps = [
    { kind: 'access', access },
    { kind: 'switch', vcpu: 'vcpu1', to },
    { kind: 'access', access },
  ] as const;
  const kindsAfterFault = (
    onFault: 'end' | 'skip' | { handler: typeof handler; retries: number },
  ): readonly string[] => {
    const tree = generatorThread('trace', traceThread({ vcpu: 'vcpu0', steps, onFault }));
    const kinds: string[] = [];
    let faulted = false;
    for (let node = tree.root; ;) {
      const effect = tree.effectAt(node);
      if (effect === null) return kinds;
      kinds.push(effect.kind);
      node = tree.next(node, effect.kind === 'load' && !faulted ? FAULT : DONE);
      faulted = true;
    }
  };
  expect(kindsAfterFault('end')).toEqual(['load']);
  const rest = ['exception-entry', 'context', 'exception-return', 'load'];
  expect(kindsAfterFault('skip')).toEqual(['load', ...rest]);
  expect(kindsAfterFault({ handler, retries: 1 })).toEqual(['load', 'lock', 'load', ...rest]);
  expect(kindsAfterFault({ handler, retries: 0 })).toEqual(['load']);
});

describe('a small stage 1', () => {
  const places = [
    { ipa: 0xc000_0000n, page: 0x8800_0000n },
    { ipa: 0xc000_1000n, page: 0x8800_1000n },
    { ipa: 0xc000_2000n, page: 0x8800_2000n },
  ];
  const mappings = [
    { ipa: 0x3fff_f000n, attribute: 'non-cacheable' },
    { ipa: 0x4000_0000n, attribute: 'cacheable' },
  ] as const;

  it.each(['block', 'page'] as const)('maps with one leaf per region: %s', (leaf) => {
    const view = smallStage1({ features: DEFAULT_FEATURES, mappings, leaf, places });
    expect(view.geometry?.startLevel).toBe(2);
    expect(view.stage1?.root).toBe(0xc000_0000n);
    expect(mappings.map(({ ipa }) => view.vaOf(ipa))).toEqual([0x1f_f000n, 0x20_0000n]);
    expect(view.words).toHaveLength(leaf === 'block' ? 2 : 4);
    const level = leaf === 'block' ? 2 : 3;
    const root = places[0]?.page ?? 0n;
    const inRoot = (address: bigint): boolean => address >= root && address < root + 0x1000n;
    const leaves = view.words
      .filter(({ address }) => inRoot(address) === (leaf === 'block'))
      .map(({ value: bits }) => decodeStage1(bits, level, '4k', DEFAULT_FEATURES))
      .filter((entry) => entry.kind === leaf);
    expect(leaves).toHaveLength(2);
  });

  it('refuses two types in one block, and IPAs it does not map', () => {
    const one = [mappings[1], { ipa: 0x4000_1000n, attribute: 'device' }] as const;
    expect(() =>
      smallStage1({ features: DEFAULT_FEATURES, mappings: one, leaf: 'block', places }),
    ).toThrow(RangeError);
    const view = smallStage1({ features: DEFAULT_FEATURES, mappings, leaf: 'block', places });
    expect(() => view.vaOf(0x8000_0000n)).toThrow(RangeError);
  });
});
