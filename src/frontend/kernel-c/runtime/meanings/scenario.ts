import type { Announcement } from '../../../../program/effect.ts';
import { constant } from '../../../../program/expr.ts';
import { type Call, type Meanings, result, step } from '../call.ts';
import { after, type Reaction, type Step, stopWith } from '../reaction.ts';

/**
 * What the text of a scenario can say about the host around the operation: where the operation begins
 * and has returned, and what the host does with a page afterwards.
 */
export const SCENARIO: Meanings = [
  ['operation_begins', (call) => withName(call, (name) => [begins(call, name)])],
  ['operation_returns', (call) => withName(call, (name) => [returns(call, name, 'translations')])],
  [
    'operation_returns_readonly',
    (call) => withName(call, (name) => [returns(call, name, 'write-permission')]),
  ],
  ['host_reads_page', hostReads],
  ['page_gets_new_owner', newOwner],
  ['host_fills_page', hostFills],
];

/** What a new owner writes: a value no guest of a scenario stores. */
const NEW_CONTENTS = 0x6e65_775f_6f77_6e65n;

function withName(call: Call, steps: (name: string) => readonly Step[]): Reaction {
  const name = call.textAt(call.argument(0));
  return name === null
    ? stopWith(`${call.event.name}() needs the name of the operation as a string literal`)
    : after(steps(name), result(call, 0n));
}

function begins({ environment }: Call, name: string): Step {
  return announce({ kind: 'operation-begins', name, vmid: environment.vmid }, `${name} begins`);
}

function returns(
  { environment, argument }: Call,
  name: string,
  removes: 'translations' | 'write-permission',
): Step {
  const start = argument(1);
  const end = start + argument(2);
  const pages = environment.watchedIpas.filter((ipa) => ipa >= start && ipa < end);
  const { vmid, asid, cpus } = environment;
  const space = asid === undefined ? { vmid } : { vmid, asid };
  const alone = cpus.count === 1 ? { alone: true as const } : {};
  return announce(
    { kind: 'operation-returns', name, ...space, pages, removes, ...alone },
    `${name} has returned`,
  );
}

function hostReads(call: Call): Reaction {
  const page = call.argument(0);
  if (!isWatched(call, page)) return notWatched(call);
  const read: Step = step(
    {
      kind: 'load',
      at: { kind: 'physical', address: constant(page) },
      bytes: 8,
      order: 'plain',
      exclusive: false,
      wanted: false,
    },
    'read through the linear map',
  );
  const relies = announce({ kind: 'content-relied-on', page }, 'the content is relied on');
  return after([relies, read], result(call, 0n));
}

function newOwner(call: Call): Reaction {
  const page = call.argument(0);
  if (!isWatched(call, page)) return notWatched(call);
  const reused = announce({ kind: 'page-reused', page }, 'another owner gets the page');
  return after([reused, write(page, 'the new owner writes')], result(call, 0n));
}

function hostFills(call: Call): Reaction {
  const page = call.argument(0);
  if (!isWatched(call, page)) return notWatched(call);
  return after([write(page, 'new contents are read in')], result(call, 0n));
}

function write(page: bigint, text: string): Step {
  return step(
    {
      kind: 'store',
      at: { kind: 'physical', address: constant(page) },
      bytes: 8,
      data: constant(NEW_CONTENTS),
      order: 'plain',
      exclusive: false,
      wanted: false,
    },
    text,
  );
}

function announce(fact: Announcement, text: string): Step {
  return step({ kind: 'announce', fact }, text);
}

function isWatched({ environment }: Call, page: bigint): boolean {
  return environment.watchedLines(page, 8n).length > 0;
}

function notWatched({ event, argument }: Call): Reaction {
  return stopWith(
    `${event.name}(0x${argument(0).toString(16)}): that is no page of the guest, see guest_page() in setup(), or user_page() for a process`,
  );
}
