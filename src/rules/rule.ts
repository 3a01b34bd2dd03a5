import type { Fact } from '../machine/facts.ts';

/** A family of rules, by the name the corpus of past bugs uses for it. */
export type RuleFamily =
  'P1' | 'P2' | 'P3' | 'P4' | 'P5' | 'P6' | 'P7' | 'P8' | 'P10' | 'locks' | 'undefined' | 'checks';

/** One safety rule. A rule is a pure function of what a step shows. */
export interface Rule {
  /** Stable id, as printed and used on the command line. */
  readonly id: string;
  readonly family: RuleFamily;
  /** The rule in one sentence. */
  readonly statement: string;
  /** Why it matters: what goes wrong for a user of the machine. */
  readonly why: string;
  /** Architecture rules, kernel functions and comments it comes from. */
  readonly sources: readonly string[];
  /** What the fact breaks, in one sentence, or null. */
  readonly check: (fact: Fact) => string | null;
}

/** A rule and how a step broke it. */
export interface Violation {
  readonly rule: Rule;
  readonly message: string;
  readonly fact: Fact;
}

/** The first violation of the rules by the facts of a step, in the order of the rules. */
export function firstViolation(rules: readonly Rule[], facts: readonly Fact[]): Violation | null {
  for (const rule of rules) {
    for (const fact of facts) {
      const message = rule.check(fact);
      if (message !== null) return { rule, message, fact };
    }
  }
  return null;
}
