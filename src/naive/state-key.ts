import { entryKey, pathKey } from './entry.ts';
import type { Context } from '../program/effect.ts';
import { answerKey } from '../program/thread-tree.ts';
import type {
  Instance,
  Invalidation,
  NaiveState,
  Pe,
  Translation,
  Word,
  Written,
} from './state.ts';

/** A string that is equal for two states exactly when they can do the same and have done the same. */
export function stateKey({ pes, words, ledger, locks, freePages }: NaiveState): string {
  return [
    pes.map(peKey).join('\n'),
    [...words].map(([address, word]) => `${address.toString(16)}:${wordKey(word)}`).sort(),
    ledger.map(invalidationKey).sort().join(';'),
    locks.join(),
    freePages.join(),
  ].join('\n');
}

function peKey(pe: Pe): string {
  return [
    `${pe.node},${pe.nextSeq}`,
    pe.window.map(instanceKey).join(';'),
    pe.record.map(({ seq, answer }) => `${seq}:${answerKey(answer)}`).join(),
    [pe.context, ...pe.pending].map(contextKey).join(';'),
    pe.tlb.map(entryKey).sort().join(';'),
    pe.icache.map(({ pa, vmid, copy }) => `${pa},${vmid},${copy.version}`).sort(),
  ].join('|');
}

function instanceKey({ seq, node, guess, translation, done, value, source }: Instance): string {
  const from =
    source === null
      ? ''
      : source.kind === 'memory'
        ? `m${source.version}.${source.arrival}`
        : `f${source.from}`;
  const t = translation === null ? '' : translationKey(translation);
  return `${seq},${node},${guess},${done ? 1 : 0},${value},${from},${t}`;
}

function translationKey({ result, path, scope }: Translation): string {
  const what =
    result.kind === 'ok'
      ? `${result.pa}${result.cacheable ? 'c' : 'n'}`
      : answerKey({ kind: 'fault', fault: result.fault });
  return `${what}<${pathKey(path)}<${scope.level},${scope.vmid},${scope.asid}`;
}

function contextKey({ el, vmid, asid, stage1, stage2 }: Context): string {
  return `${el},${vmid},${asid},${stage1?.root ?? '-'},${stage2?.root ?? '-'}`;
}

function wordKey({ poc, dirty, clean, writes, arrivals }: Word): string {
  return `${written(poc)},${dirty === null ? '' : written(dirty)},${clean.map(written).join('+')},${writes},${arrivals}`;
}

function written({ value, version }: Written): string {
  return `${value}v${version}`;
}

function invalidationKey(item: Invalidation): string {
  const { pe, seq, scope, undelivered, obligations } = item;
  const owed = obligations.map((o) => `${o.pe}.${o.seq}${o.event}`).sort();
  const what = `${item.op.name} ${item.operand}`;
  return `${pe},${seq},${what},${scope.vmid},${undelivered.join()},${owed.join()}`;
}
