import { expect, test } from 'vitest';
import { components } from '../../src/explore/components.ts';
import { randomFrom } from '../../src/util/random.ts';

test('components of random graphs are the classes of mutual reachability', () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const random = randomFrom(seed);
    const size = 1 + random.below(9);
    const edges = Array.from({ length: size }, () =>
      Array.from({ length: random.below(4) }, () => random.below(size)),
    );
    const reach = edges.map((targets) => new Set(targets));
    for (let k = 0; k < size; k += 1) {
      for (const set of reach) {
        if (set.has(k)) for (const target of reach[k] ?? []) set.add(target);
      }
    }
    const nodes = edges.map((_, node) => node);
    const expected = nodes
      .filter((node) => reach[node]?.has(node))
      .map((node) => nodes.filter((o) => reach[node]?.has(o) && reach[o]?.has(node)).join());
    const found = components({ size, targets: (node) => edges[node] ?? [] }, nodes);
    const sorted = found.map((component) => [...component].sort((a, b) => a - b).join());
    expect([...sorted].sort()).toEqual([...new Set(expected)].sort());
  }
});

test('a long chain does not overflow the stack', () => {
  const size = 200_000;
  const targets = (node: number): readonly number[] => [(node + 1) % size];
  expect(components({ size, targets }, [0])[0]).toHaveLength(size);
});
