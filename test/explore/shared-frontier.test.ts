import { expect, test } from 'vitest';
import { sharedFrontier, sharedFrontierMemory } from '../../src/explore/shared-frontier.ts';

/** Goes through a graph of `size` states in which state n leads to 2n + 1 and 2n + 2. */
function visit(size: number, hasRoom = true, stopAt = -1) {
  let reached = 1;
  const depths: number[] = [];
  const visited: number[] = [];
  let isInOrder = true;
  const open = sharedFrontier(sharedFrontierMemory({ explored: 0, depth: 0, lastOfDepth: 0 }, 1), {
    threads: 1,
    isLeader: true,
    reached: () => reached,
    hasRoom: () => hasRoom,
    atDepth: () => depths.push(reached),
    isGone: () => false,
  });
  for (let id = open.next(); id >= 0; id = open.next()) {
    if (id === stopAt) {
      open.stop();
      continue;
    }
    visited.push(id);
    isInOrder &&= open.isExplored(id) && !open.isExplored(Math.min(size, 2 * id + 2));
    reached = Math.max(reached, Math.min(size, 2 * id + 3));
  }
  return { visited, depths, isInOrder, finished: open.isFinished() };
}

test('every state is explored once, and none before one that is less deep', () => {
  const { visited, depths, isInOrder, finished } = visit(1000);
  expect(visited).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect(depths).toEqual([3, 7, 15, 31, 63, 127, 255, 511, 1000]);
  expect([isInOrder, finished]).toEqual([true, true]);
});

test('a search that is stopped, or has no room, is not finished', () => {
  expect(visit(1000, true, 40).finished).toBe(false);
  expect(visit(1000, false)).toMatchObject({ visited: [0], finished: false });
});

test('a thread does not wait for one that is gone', () => {
  const open = sharedFrontier(sharedFrontierMemory({ explored: 0, depth: 0, lastOfDepth: 0 }, 2), {
    threads: 2,
    isLeader: true,
    reached: () => 5,
    hasRoom: () => true,
    atDepth: () => expect.unreachable(),
    isGone: () => true,
  });
  expect([open.next(), open.next(), open.isFinished()]).toEqual([0, -1, false]);
});
