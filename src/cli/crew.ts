import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import type { Crew } from '../explore/shared-search.ts';
import type { WorkerStart } from './check-pool.ts';

/** What a thread that helps is started with. */
export interface HelperStart extends WorkerStart {
  /** From where it is called: `SharedWork`. */
  readonly calls: MessagePort;
}

/** How the thread that leads reaches those that help; a message to it has `ports` in its transfer list. */
export interface CrewStart {
  readonly ports: readonly MessagePort[];
  /** One integer: not 0 when one of them is gone. */
  readonly gone: SharedArrayBuffer;
}

/** Starts threads that help with searches of one candidate. */
export function startHelpers(
  start: WorkerStart,
  count: number,
): { readonly crew: CrewStart; readonly end: () => void } {
  const gone = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const ports: MessagePort[] = [];
  const workers: Worker[] = [];
  for (let i = 0; i < count; i += 1) {
    const { port1, port2 } = new MessageChannel();
    const workerData: HelperStart = { ...start, calls: port2 };
    const worker = new Worker(new URL('./search-helper.js', import.meta.url), {
      workerData,
      transferList: [port2],
    });
    const leave = (): void => void Atomics.store(new Int32Array(gone), 0, 1);
    worker.on('error', leave);
    worker.on('exit', leave);
    ports.push(port1);
    workers.push(worker);
  }
  return {
    crew: { ports, gone },
    end() {
      for (const worker of workers) void worker.terminate();
    },
  };
}

/** The crew, on the thread that leads it. */
export function crewOf({ ports, gone }: CrewStart, alone: number): Crew | null {
  if (ports.length === 0) return null;
  const left = new Int32Array(gone);
  return {
    helpers: ports.length,
    call(work) {
      for (const port of ports) port.postMessage(work);
    },
    isGone: () => Atomics.load(left, 0) !== 0,
    alone,
  };
}
