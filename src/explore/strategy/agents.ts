import type { Machine } from '../../machine/machine.ts';
import type { Site } from '../../machine/transition.ts';
import type { Agent } from './strategy.ts';

/** The agents of a machine, in a fixed order: PEs, deliveries to each PE, the background. */
export function agentsOf(machine: Machine, hosts: number): readonly Agent[] {
  const pes = machine.setup.threads.length;
  const agents: Agent[] = [];
  for (let pe = 0; pe < pes; pe += 1) {
    const isGuest = machine.setup.threads[pe]?.context.stage2 !== null;
    agents.push({ id: pe, kind: pe < hosts ? 'host' : isGuest ? 'vcpu' : 'other', pe });
  }
  for (let pe = 0; pe < pes; pe += 1) agents.push({ id: pes + pe, kind: 'delivery', pe });
  agents.push({ id: 2 * pes, kind: 'background', pe: -1 });
  return agents;
}

/** Id of the agent a site belongs to, in a machine of so many PEs. */
export function agentIdOf(site: Site, pes: number): number {
  switch (site.kind) {
    case 'instance':
      return site.pe;
    case 'deliver':
      return pes + site.pe;
    case 'write-back':
    case 'update':
      return 2 * pes;
  }
}
