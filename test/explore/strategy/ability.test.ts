import { expect, test } from 'vitest';
import { randomRun } from '../../../src/explore/random.ts';
import { abilityOf } from '../../../src/explore/strategy/ability.ts';
import { agentIdOf, agentsOf } from '../../../src/explore/strategy/agents.ts';
import { createMachine } from '../../../src/machine/machine.ts';
import { randomFrom } from '../../../src/util/random.ts';
import { randomWorld, setupOf } from '../random-world.ts';

test('the steps of all agents are the steps, and who cannot act has none', () => {
  for (let seed = 0; seed < 40; seed += 1) {
    const machine = createMachine(setupOf(randomWorld(randomFrom(seed))));
    const agents = agentsOf(machine, 1);
    const ability = abilityOf(machine, 1);
    let state = machine.initial;
    for (const step of randomRun(machine, seed, { hosts: 1, rules: [] }).steps) {
      const byAgent = agents.map((agent) => {
        const steps = ability.stepsOf(state, agent).slice();
        if (!ability.mayAct(state, agent)) expect(steps).toEqual([]);
        return steps;
      });
      expect(byAgent.map((steps) => steps.length)).toEqual(
        agents.map(({ id }) =>
          machine
            .sites(state)
            .filter((site) => agentIdOf(site, machine.setup.threads.length) === id)
            .reduce((sum, site) => sum + machine.at(state, site).length, 0),
        ),
      );
      const all = byAgent.flat();
      expect(all.length).toBe(machine.steps(state).length);
      for (const each of machine.steps(state)) expect(all).toContain(each);
      state = step.next;
    }
  }
});
