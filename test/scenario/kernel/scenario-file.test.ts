import { describe, expect, test } from 'vitest';
import { DEFAULT_FEATURES } from '../../../src/arm64/features.ts';
import { scenarioLibrary } from '../../../src/cli/scenario-library.ts';
import { scenarioNames } from '../../../src/scenario/kernel/placed-scenario.ts';
import { readScenarioFile } from '../../../src/scenario/kernel/scenario-file.ts';
import { ok } from '../on-kernel.ts';

const C = 'void setup(void) {}\nvoid host(void) {}\n';

function fileOf(comment: string, rest = C): { path: string; text: string } {
  return { path: 'mine.c', text: `/*\n${comment}\n */\n${rest}` };
}

function problemOf(comment: string, rest?: string): string {
  const outcome = readScenarioFile(fileOf(comment, rest));
  if (outcome.kind === 'ok') return 'it was read';
  const { file, line, message } = outcome.diagnostic;
  return `${file}:${line}: ${message}`;
}

const NEEDED = ' * name: n\n * why: w\n * profile: p';

describe('a scenario file', () => {
  test('says everything in its first comment, and what it leaves out has a value', () => {
    const settings = ok(
      readScenarioFile(fileOf(`${NEEDED}, q\n * guest: read, execute\n * vcpus: 2`)),
    );
    expect(settings).toMatchObject({
      name: 'n',
      profiles: ['p', 'q'],
      kinds: ['read', 'execute'],
      views: ['mmu-off'],
      run: 'search',
      vcpus: 2,
      reschedule: 'choose',
      hosts: 1,
      pages: 0,
    });
    const two = 'void setup(void) { guest_page(1, 2); }\nvoid host(void) {}\nvoid host1(void) {}\n';
    expect(ok(readScenarioFile(fileOf(NEEDED, two)))).toMatchObject({ hosts: 2, pages: 1 });
  });

  test('a line without a key goes on with the value above it', () => {
    const settings = ok(
      readScenarioFile(fileOf(' * name: n\n * why: first\n *   second\n * profile: p')),
    );
    expect(settings.why).toBe('first second');
  });

  test('each view is a scenario, and those that are not the ordinary one are named', () => {
    const settings = ok(readScenarioFile(fileOf(`${NEEDED}\n * view: mmu-off, device, cacheable`)));
    expect(scenarioNames(settings)).toEqual([
      'n',
      'n, guest maps it Device',
      'n, guest maps it cacheable',
    ]);
    const one = ok(readScenarioFile(fileOf(`${NEEDED}\n * view: device\n * run: count`)));
    expect(scenarioNames(one)).toEqual(['n']);
    expect(one.run).toBe('count');
  });

  test('a feature is asked of the machine', () => {
    const settings = ok(readScenarioFile(fileOf(`${NEEDED}\n * features: fwb=on`)));
    const [wanted] = settings.features;
    expect(wanted?.holds(DEFAULT_FEATURES)).toBe(false);
    expect(wanted?.holds({ ...DEFAULT_FEATURES, fwb: true })).toBe(true);
  });

  test('mistakes are named with their line', () => {
    const mistakes: readonly (readonly [string, string])[] = [
      [
        ' * name: n\n * why: w',
        'mine.c:1: the first comment of a scenario file must say "profile: ..."',
      ],
      [`${NEEDED}\n * veiw: mmu-off`, 'mine.c:5: there is no setting "veiw". Did you mean'],
      [`${NEEDED}\n * view: mmu`, 'mine.c:5: "view" cannot be "mmu".'],
      [`${NEEDED}\n * vcpus: many`, 'mine.c:5: "vcpus" must be a whole number'],
      [`${NEEDED}\n * features: fwb`, 'mine.c:5: "fwb" is not of the form'],
      [`${NEEDED}\n * name: again`, 'mine.c:5: "name" is given twice'],
      ['hello', 'mine.c:2: "hello" is no "key: value" line'],
    ];
    for (const [comment, sentence] of mistakes) expect(problemOf(comment)).toContain(sentence);
    expect(problemOf(NEEDED, 'void setup(void) {}')).toContain('needs a function host()');
    const bare = readScenarioFile({ path: 'mine.c', text: C });
    expect(bare).toMatchObject({ kind: 'failed', diagnostic: { line: 1 } });
  });

  test('every file of the library can be read, under a name of its own', () => {
    const names = scenarioLibrary().flatMap((file) => scenarioNames(ok(readScenarioFile(file))));
    expect(new Set(names).size).toBe(names.length);
  });
});
