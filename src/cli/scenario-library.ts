import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ScenarioSource } from '../scenario/kernel/scenario-file.ts';

const FOLDER = fileURLToPath(new URL('../../scenarios', import.meta.url));

/** The scenario files that come with the package, by path. */
export function scenarioLibrary(folder: string = FOLDER): readonly ScenarioSource[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.c'))
    .sort()
    .map((path) => ({
      path: `scenarios/${path}`,
      text: readFileSync(`${folder}/${path}`, 'utf8'),
    }));
}
