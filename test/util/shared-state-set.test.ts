import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import {
  sharedStates,
  sharedStateSet,
  type SharedStates,
} from '../../src/util/shared-state-set.ts';

const MODULE = resolve('dist/util/shared-state-set.js');
const WIDTH = 3;
const DIFFERENT = 30_000;

/** Sequence number `i` of those that all threads add. */
function sequenceOf(i: number): Int32Array {
  return Int32Array.of(i % 7, i, -(i >> 3));
}

/** What a thread does: adds all sequences, from a place of its own on, and keeps the numbers it got. */
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { url, states, step, count, all } = workerData;
  import(url).then(({ sharedStateSet }) => {
    const set = sharedStateSet(states);
    const ids = new Int32Array(count);
    const start = new Int32Array(all);
    Atomics.add(start, 0, 1);
    while (Atomics.load(start, 0) < 2);
    for (let n = 0; n < count; n += 1) {
      const i = (n * step) % count;
      ids[i] = set.add(Int32Array.of(i % 7, i, -(i >> 3)), step);
    }
    parentPort.postMessage(ids);
  });
`;

function addOnTwo(states: SharedStates): Promise<readonly Int32Array[]> {
  const all = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  return Promise.all(
    [1, 7919].map(
      (step) =>
        new Promise<Int32Array>((done, fail) => {
          const workerData = {
            url: pathToFileURL(MODULE).href,
            states,
            step,
            count: DIFFERENT,
            all,
          };
          const worker = new Worker(THREAD, { eval: true, workerData });
          worker.on('message', done);
          worker.on('error', fail);
        }),
    ),
  );
}

test.skipIf(!existsSync(MODULE))('two threads that add the same get the same numbers', async () => {
  const states = sharedStates(WIDTH, DIFFERENT);
  const [first, second] = await addOnTwo(states);
  const set = sharedStateSet(states);
  expect(set.size()).toBe(DIFFERENT);
  expect(set.isFull()).toBe(false);
  expect(first).toEqual(second);
  expect(new Set(first).size).toBe(DIFFERENT);
  const read = new Int32Array(WIDTH);
  for (let i = 0; i < DIFFERENT; i += 1) {
    const id = set.find(sequenceOf(i));
    set.read(id, read);
    if (id !== first?.[i] || read.join() !== sequenceOf(i).join()) expect.unreachable();
  }
  const { count, parents, sequences } = set.content();
  expect([count, parents.length, sequences[0]?.length]).toEqual([count, count, count * WIDTH]);
  expect(new Set(parents)).toEqual(new Set([1, 7919]));
});

test.skipIf(!existsSync(MODULE))('a full set says so, and keeps what it has', async () => {
  const most = 10_000;
  const states = sharedStates(WIDTH, most);
  const both = await addOnTwo(states);
  const set = sharedStateSet(states);
  expect([set.size(), set.isFull()]).toEqual([most, true]);
  let kept = 0;
  for (let i = 0; i < DIFFERENT; i += 1) {
    const id = set.find(sequenceOf(i));
    if (id >= 0) kept += 1;
    for (const ids of both) if ((ids[i] as number) >= 0) expect(ids[i]).toBe(id);
  }
  expect(kept).toBe(most);
});
