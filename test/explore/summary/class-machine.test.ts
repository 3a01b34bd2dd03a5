import { expect, it } from 'vitest';
import { DEFAULT_FEATURES, type Features } from '../../../src/arm64/features.ts';
import type { Level } from '../../../src/arm64/geometry.ts';
import { perPageFlush } from '../../../src/candidates/unmap-stage2-range/per-page-flush.ts';
import { classSetup } from '../../../src/explore/summary/class-machine.ts';
import { buildFullWorld, type FullWorld } from '../../../src/explore/summary/full-world.ts';
import { pagesPerEntry } from '../../../src/explore/summary/layout.ts';
import { project } from '../../../src/explore/summary/project.ts';
import { traceOf } from '../../../src/explore/summary/trace.ts';
import { DONE, type Effect } from '../../../src/program/effect.ts';
import type { ThreadTree } from '../../../src/program/thread-tree.ts';
import { isInputError } from '../../../src/scenario/input-error.ts';

/** How far two pages share their walks, and the first level shared of which the second is the first page. */
function relation(world: FullWorld, page: number, named: number): string {
  const { geometry } = world;
  let shared = geometry.startLevel - 1;
  let base = 'none';
  for (let level = geometry.startLevel; level <= 3; level = (level + 1) as Level) {
    const span = pagesPerEntry(geometry, level);
    if (Math.floor(page / span) !== Math.floor(named / span)) break;
    shared = level;
    if (base === 'none' && named % span === 0) base = String(level);
    if (level === 3) break;
  }
  return world.features.readingTableDropByAnyIpa ? `${shared}` : `${shared} ${base}`;
}

/** Every effect that a thread may ask for. */
function effectsOf(tree: ThreadTree): readonly Effect[] {
  const effects: Effect[] = [];
  const seen = new Set<number>();
  const work = [tree.root];
  for (let node = work.pop(); node !== undefined; node = work.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    const effect = tree.effectAt(node);
    if (effect === null) continue;
    effects.push(effect);
    const options = effect.kind === 'choose' ? effect.options : 0;
    if (options === 0) work.push(tree.next(node, DONE));
    for (let i = 0; i < options; i += 1) {
      work.push(tree.next(node, { kind: 'value', value: BigInt(i) }));
    }
  }
  return effects;
}

it.each([
  [{}, 600],
  [{ readingTableDropByAnyIpa: false }, 600],
  [{ readingTableDropByAnyIpa: false, granule: '64k' }, 9000],
] as const)('TLBIs of a class machine hit what those of the host hit: %o', (changes, pages) => {
  const features: Features = { ...DEFAULT_FEATURES, ...changes };
  const mapping = features.granule;
  const world = buildFullWorld({ features, pages, mapping }, 'unmap');
  if (isInputError(world)) throw new Error(world.message);
  const trace = traceOf(perPageFlush, world, () => 0);
  if (trace.kind !== 'trace') throw new Error(trace.reason);
  const projection = project(world, trace);
  if (projection.kind === 'beyond') throw new Error(projection.reason);
  const unit = Number(world.ipaOf(1)) / 4096;
  for (const of of projection.classes) {
    const wanted = new Set<string>();
    for (let i = 0; i < trace.length; i += 1) {
      if (trace.shapes[trace.shape[i] as number]?.concern !== 'address') continue;
      wanted.add(relation(world, of.page, trace.page[i] as number));
    }
    const setup = classSetup(world, trace, projection, of, 'mmu-off');
    const tree = setup.threads[0]?.tree;
    if (tree === undefined) throw new Error('a class machine has a host');
    const named = effectsOf(tree).flatMap((effect) =>
      effect.kind === 'tlbi' && effect.op === 'IPAS2E1IS' && effect.operand.kind === 'const'
        ? [Math.floor(Number(effect.operand.value) / unit)]
        : [],
    );
    expect(new Set(named.map((page) => relation(world, of.page, page)))).toEqual(wanted);
  }
});
