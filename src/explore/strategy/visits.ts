import { drawWeighted, isNotable, type Agent, type Strategy } from './strategy.ts';

/**
 * One PE leads, as if it were alone; just after steps of it that others can notice, others come by for a
 * few steps each.
 *
 * Mistakes in maintenance are windows that open with such a step (a store to a table, cache
 * maintenance, a TLBI that takes effect at one PE, a lock) and close a few of them later. The visits of a
 * run are a few places drawn from all there are, or come at a drawn rate. Two things follow from the rest
 * being left alone: a visit is not spoilt by another one, and runs differ so little that the steps
 * remembered from one serve the next, so that a run costs little. Cf. CHESS (Musuvathi and
 * Qadeer, PLDI 2007), which preempts at synchronisation operations, and PCT (Burckhardt et al., ASPLOS
 * 2010), which draws d places for a run; deviation: stores and invalidations of the host count as well,
 * and who is put off gets the machine back.
 */
export const visits: Strategy = {
  name: 'visits',
  start(random, agents, { notable }) {
    const pes = agents.filter(({ kind }) => kind === 'host' || kind === 'vcpu');
    const hosts = pes.filter(({ kind }) => kind === 'host');
    const leaders = hosts.length > 0 ? hosts : pes;
    const leader = leaders[random.below(leaders.length)] ?? null;
    const rate = random.chance(1, 2) ? 0 : 2 << random.below(5);
    const places = new Set<number>();
    if (rate === 0) {
      for (let d = 1 + random.below(4); d > 0; d -= 1) places.add(random.below(notable));
    }
    // The fewer visits, the longer they may be.
    const longest = 4 << random.below(rate === 0 ? 5 : 3);
    // Whether invalidations that the leader waits for come at once.
    const prompt = random.chance(2, 3);
    let visitor: Agent | null = null;
    // Somebody may have been there before.
    let left = random.chance(1, 2) ? 8 << random.below(4) : 0;
    let count = 0;

    function drawVisitor(ready: readonly Agent[]): Agent | null {
      const others = ready.filter((agent) => agent !== leader && agent.kind !== 'delivery');
      const once = others.find(({ kind }) => kind === 'other');
      if (once !== undefined && random.chance(1, 2)) return once;
      return others[random.below(others.length)] ?? null;
    }

    function comes(): boolean {
      count += 1;
      return rate === 0 ? places.has(count) : random.below(rate) === 0;
    }

    return {
      pick(ready) {
        if (left > 0) {
          if (visitor === null || !ready.includes(visitor)) {
            visitor = drawVisitor(ready);
            // What looks once is not left in the middle of it.
            if (visitor?.kind === 'other') left = 64;
          }
          if (visitor !== null) return visitor;
          left = 0;
        }
        if (leader !== null && ready.includes(leader)) return leader;
        const deliveries = prompt ? ready.filter(({ kind }) => kind === 'delivery') : [];
        return drawWeighted(random, deliveries.length > 0 ? deliveries : ready);
      },
      took(agent, step) {
        if (left > 0) {
          left -= 1;
          if (left === 0) visitor = null;
        } else if ((agent === leader || agent.kind === 'delivery') && isNotable(step) && comes()) {
          left = 1 + random.below(longest);
        }
      },
      refused(agent, putOff) {
        if (putOff && left === 0) left = random.below(longest);
        if (agent !== visitor) return;
        visitor = null;
        left = 0;
      },
    };
  },
};
