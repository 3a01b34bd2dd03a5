import { type AsmLine, readAsmTemplate } from '../asm/template.ts';
import type { VmEvent } from '../vm/event.ts';
import type { Environment } from './environment.ts';
import { instruction } from './instruction.ts';
import { unknownCapability } from './meanings/cpu.ts';
import { operandByName, operandsOf, outputsOf, type Operands, writeOperand } from './operands.ts';
import { answer, type Reaction, stopWith } from './reaction.ts';
import type { RuntimeState } from './state.ts';

/** Carries out an inline assembly template, instruction by instruction. */
export function reactToAsm(
  event: Extract<VmEvent, { kind: 'asm' }>,
  environment: Environment,
  state: RuntimeState,
): Reaction {
  if (event.labels.length > 0) {
    return stopWith(
      'an asm goto is reached; the function around it must be intercepted in src/frontend/kernel-c/runtime/meanings',
    );
  }
  const operands = operandsOf(event.operands);
  const unknown = new Set<number>();
  const reading = readAsmTemplate(event.template, {
    has: (number) => {
      const capability = environment.capabilities.get(number);
      if (capability === undefined) unknown.add(number);
      return capability?.present ?? false;
    },
    operand: (name) => operandByName(operands, name),
  });
  for (const number of unknown) return unknownCapability(number);
  if (reading.kind === 'unknown') {
    return stopWith(`the assembly "${reading.line}" is not understood: ${reading.why}`);
  }
  return run(reading.lines, 0, operands, environment, state);
}

function run(
  lines: readonly AsmLine[],
  from: number,
  operands: Operands,
  environment: Environment,
  state: RuntimeState,
): Reaction {
  const line = lines[from];
  if (line === undefined) {
    const outputs = outputsOf(operands);
    return outputs === null
      ? stopWith('an output of this assembly is never written')
      : answer(outputs, state);
  }
  if (line.kind === 'callback' && line.name === 'kvm_compute_final_ctr_el0') {
    // Patched at boot into instructions that load the sanitised CTR_EL0.
    const value = state.registers.get('ctr_el0');
    const loaded = value === undefined ? null : writeOperand(operands, '%0', value);
    return loaded === null
      ? stopWith('nobody said what CTR_EL0 holds: the profile must give it a value')
      : run(lines, from + 1, loaded, environment, state);
  }
  if (line.kind !== 'instruction') {
    return stopWith(
      `the assembly holds the ${line.kind} "${line.name}", which src/frontend/kernel-c/runtime/assembly.ts does not know`,
    );
  }
  const done = instruction(line.text, operands, environment, state);
  const goOn = (next: Operands, later: RuntimeState): Reaction =>
    run(lines, from + 1, next, environment, later);
  switch (done.kind) {
    case 'stop':
      return done;
    case 'silent':
      return goOn(done.operands, done.state);
    case 'access':
      return done.perform(goOn);
    case 'effect':
      return {
        kind: 'ask',
        effect: done.effect,
        text: done.text,
        resume: () => goOn(operands, done.state),
      };
  }
}
