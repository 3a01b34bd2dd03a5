import { type Features, parseFeature } from '../../arm64/features.ts';
import { attempt, FrontendError, type Outcome } from '../../frontend/kernel-c/diagnostic.ts';
import type { AccessKind } from '../../guest/access.ts';
import { MAX_WINDOW } from '../../machine/window.ts';
import { didYouMean } from '../../util/closest.ts';
import type { GuestViewKind, Scenario } from '../scenario.ts';

/** A file with the text of a scenario, as the command line has read it. */
export interface ScenarioSource {
  /** As it is shown in messages and reports. */
  readonly path: string;
  readonly text: string;
}

/** What the first comment of a scenario file says. */
export interface ScenarioSettings {
  readonly name: string;
  readonly why: string;
  /** Families that can run it. */
  readonly profiles: readonly string[];
  /** Functions that the tree must have; a tree without one of them cannot have the scenario. */
  readonly needs: readonly string[];
  readonly kinds: readonly AccessKind[];
  /** How the guest may see its memory: each is a scenario of its own. */
  readonly views: readonly GuestViewKind[];
  readonly vcpus: number;
  readonly window: number;
  readonly reschedule: Scenario['reschedule'];
  /** `count` is too large to be searched: its host runs alone, and what it does is counted. */
  readonly run: 'search' | 'count';
  /** CPUs of the host: the second one runs `host1()`, where the file has it. */
  readonly hosts: 1 | 2;
  /** Pages of the guest that the file names, for reports. */
  readonly pages: number;
  /** What the machine must be. */
  readonly features: readonly RequiredFeature[];
  /**
   * `ends`: vCPUs of the VM have run on every PE and run no more; those of the second VM begin when the
   * host says so, each on a PE of its own.
   */
  readonly vm: 'lives' | 'ends';
}

/** `name=value` that a scenario asks of the machine. */
export interface RequiredFeature {
  readonly word: string;
  readonly holds: (features: Features) => boolean;
}

const KINDS: readonly AccessKind[] = ['read', 'write', 'execute'];
const VIEWS: readonly GuestViewKind[] = ['mmu-off', 'non-cacheable', 'device', 'cacheable'];
const RUN: readonly ScenarioSettings['run'][] = ['search', 'count'];
const RESCHEDULE: readonly Scenario['reschedule'][] = ['never', 'always', 'choose'];

const KEYS = [
  'name',
  'why',
  'profile',
  'needs',
  'guest',
  'view',
  'vcpus',
  'window',
  'reschedule',
  'features',
  'run',
  'vm',
] as const;
type Key = (typeof KEYS)[number];

interface Entry {
  readonly line: number;
  readonly value: string;
}

/** Reads the settings in the first comment of a scenario file; the C after it is read with the tree. */
export function readScenarioFile({ path, text }: ScenarioSource): Outcome<ScenarioSettings> {
  return attempt(() => {
    const fail = (line: number, message: string): FrontendError =>
      new FrontendError(path, line, 1, message);
    const entries = entriesOf(text, fail);
    const need = (key: 'name' | 'why' | 'profile'): Entry => {
      const found = entries.get(key);
      if (found === undefined || found.value === '') {
        throw fail(1, `the first comment of a scenario file must say "${key}: ..."`);
      }
      return found;
    };
    const words = (key: Key): readonly string[] =>
      (entries.get(key)?.value ?? '').split(/[\s,]+/).filter((word) => word !== '');
    const oneOf = <T extends string>(key: Key, word: string, allowed: readonly T[]): T => {
      const found = allowed.find((each) => each === word);
      if (found !== undefined) return found;
      const hint = didYouMean(word, allowed);
      throw fail(
        entries.get(key)?.line ?? 1,
        `"${key}" cannot be "${word}".${hint} Allowed: ${allowed.join(', ')}`,
      );
    };
    const number = (key: Key, preset: number, least: number, most: number): number => {
      const entry = entries.get(key);
      if (entry === undefined) return preset;
      const value = Number(entry.value);
      if (Number.isInteger(value) && value >= least && value <= most) return value;
      throw fail(entry.line, `"${key}" must be a whole number from ${least} to ${most}`);
    };
    for (const name of ['setup', 'host']) {
      if (!new RegExp(`\\b${name}\\s*\\(`).test(text)) {
        throw fail(1, `a scenario file needs a function ${name}()`);
      }
    }
    const kinds = words('guest').map((word) => oneOf('guest', word, KINDS));
    const views = words('view').map((word) => oneOf('view', word, VIEWS));
    return {
      name: need('name').value,
      why: need('why').value,
      profiles: need('profile').value.split(/[\s,]+/),
      needs: words('needs'),
      kinds: kinds.length === 0 ? ['read', 'write'] : kinds,
      views: views.length === 0 ? ['mmu-off'] : [...new Set(views)],
      vcpus: number('vcpus', 1, 1, 4),
      window: number('window', MAX_WINDOW, 1, MAX_WINDOW),
      reschedule: oneOf('reschedule', entries.get('reschedule')?.value ?? 'choose', RESCHEDULE),
      run: oneOf('run', entries.get('run')?.value ?? 'search', RUN),
      vm: oneOf('vm', entries.get('vm')?.value ?? 'lives', ['lives', 'ends']),
      hosts: /\bhost1\s*\(/.test(text) ? 2 : 1,
      pages: text.match(/\b(?:guest|user)_page\s*\(/g)?.length ?? 0,
      features: words('features').map((word) => required(word, entries.get('features'), fail)),
    };
  });
}

type Fail = (line: number, message: string) => FrontendError;

/** The `key: value` lines; a line without a key goes on with the value of the line before. */
function entriesOf(text: string, fail: Fail): ReadonlyMap<Key, Entry> {
  const comment = /^\s*\/\*([^]*?)\*\//.exec(text);
  if (comment === null) {
    throw fail(1, 'a scenario file begins with a comment that holds "key: value" lines');
  }
  const entries = new Map<Key, Entry>();
  const before = text.slice(0, comment[0].indexOf('/*')).split('\n').length;
  let last: Key | null = null;
  for (const [i, raw] of (comment[1] ?? '').split('\n').entries()) {
    const line = raw.replace(/^\s*\*?\s?/, '').trimEnd();
    if (line.trim() === '') continue;
    const found = /^([a-z]+):\s*(.*)$/.exec(line);
    if (found === null) {
      const entry = last === null ? undefined : entries.get(last);
      if (last === null || entry === undefined) {
        throw fail(before + i, `"${line.trim().slice(0, 40)}" is no "key: value" line`);
      }
      entries.set(last, { line: entry.line, value: `${entry.value} ${line.trim()}`.trim() });
      continue;
    }
    const [, word = '', value = ''] = found;
    const key = KEYS.find((each) => each === word);
    if (key === undefined) {
      throw fail(
        before + i,
        `there is no setting "${word}".${didYouMean(word, KEYS)} Settings: ${KEYS.join(', ')}`,
      );
    }
    if (entries.has(key)) throw fail(before + i, `"${key}" is given twice`);
    entries.set(key, { line: before + i, value: value.trim() });
    last = key;
  }
  return entries;
}

function required(word: string, entry: Entry | undefined, fail: Fail): RequiredFeature {
  const parsed = parseFeature(word);
  if (parsed.kind === 'error') throw fail(entry?.line ?? 1, parsed.message);
  const { definition } = parsed;
  const wanted = word.split('=')[1] ?? '';
  return { word, holds: (features) => definition.read(features) === wanted };
}
