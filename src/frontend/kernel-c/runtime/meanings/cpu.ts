import { type Call, type Meanings, nothing, result, step } from '../call.ts';
import { after, answer, type Reaction, type Step, stopWith } from '../reaction.ts';

/** The sentence for a capability without a value. */
export function unknownCapability(number: number): Reaction {
  return stopWith(
    `nobody said whether CPU capability ${number} of this tree is present: the profile must name it`,
  );
}

/** What the kernel asks of the CPU it runs on, and where it changes the exception level. */
export const CPU: Meanings = [
  ['has_vhe', ({ environment, state }) => answer([environment.features.vhe ? 1n : 0n], state)],
  ['cpus_have_cap', capability],
  ['cpus_have_const_cap', capability],
  ['cpus_have_final_cap', capability],
  ['cpus_have_final_boot_cap', capability],
  ['alternative_has_cap_likely', capability],
  ['alternative_has_cap_unlikely', capability],
  ['alternative_has_feature_likely', capability],
  ['alternative_has_feature_unlikely', capability],
  ['read_sanitised_ftr_reg', featureRegister],
  ['arch_static_branch', staticBranch],
  ['arch_static_branch_jump', staticBranch],
  // All ones for an index inside of the bounds, in assembly against speculation.
  [
    'array_index_mask_nospec',
    (call) => result(call, call.argument(0) < call.argument(1) ? ALL_ONES : 0n),
  ],
  // The hyp alias of an address is the address itself: EL2 sees the same memory.
  ['__kern_hyp_va', ({ argument, state }) => answer([argument(0)], state)],
  // The host thread runs outside of any vCPU.
  ['kvm_get_running_vcpu', nothing],
  // The VM has no nested guest.
  ['kvm_nested_s2_unmap', nothing],
  ['kvm_nested_s2_wp', nothing],
  ['kvm_nested_s2_flush', nothing],
  ['__tlbgate_alone', alone],
  ['__tlbgate_hvc', (call) => exception(call, 2)],
  ['__tlbgate_eret', (call) => exception(call, 1)],
  ['__tlbgate_warn', (call) => after([failed('WARN_ON')], result(call, 0n))],
  [
    '__tlbgate_bug',
    () => after([failed('BUG_ON'), NO_WAY_ON], stopWith('the code after a BUG_ON is reached')),
  ],
];

const ALL_ONES = 0xffff_ffff_ffff_ffffn;

/** Where C of ours is right for one CPU only. */
function alone(call: Call): Reaction {
  return call.environment.cpus.count === 1
    ? result(call, 0n)
    : stopWith('this is followed with one CPU of the host only');
}

function failed(check: 'WARN_ON' | 'BUG_ON'): Step {
  return step({ kind: 'announce', fact: { kind: 'check-failed', check } }, `${check} holds`);
}

/** A choice of nothing: the thread does not come further. */
const NO_WAY_ON: Step = step({ kind: 'choose', options: 0 }, 'the kernel stops');

function capability(call: Call): Reaction {
  const number = Number(call.argument(0));
  const known = call.environment.capabilities.get(number);
  return known === undefined ? unknownCapability(number) : result(call, known.present ? 1n : 0n);
}

function featureRegister(call: Call): Reaction {
  const known = call.environment.sanitised.get(call.argument(0));
  return known === undefined
    ? stopWith(
        `nobody said what the feature register 0x${call.argument(0).toString(16)} holds: the profile must give it a value`,
      )
    : result(call, known.value);
}

/** The jump is taken when the key's state differs from the branch that needs no jump. */
function staticBranch(call: Call): Reaction {
  const name = call.objectAt(call.argument(0));
  const key = name === null ? undefined : call.environment.staticKeys.get(name);
  if (key === undefined) {
    return stopWith(
      `nobody said whether the static key ${name ?? 'at an unknown place'} is enabled: the profile must name it`,
    );
  }
  return result(call, key.present === (call.argument(1) !== 0n) ? 0n : 1n);
}

/** A hyp call of a host at EL1: the exception, and the return from it. */
function exception(call: Call, toEl: 1 | 2): Reaction {
  const { state, environment } = call;
  if (environment.features.vhe || state.atEl2 === (toEl === 2)) {
    return stopWith(`${call.event.name}() at the wrong exception level`);
  }
  const next = { ...state, atEl2: toEl === 2 };
  const effect =
    toEl === 2
      ? step({ kind: 'exception-entry', toEl }, 'hvc')
      : step({ kind: 'exception-return', toEl, toHost: true }, 'eret');
  return after([effect], result(call, 0n, next));
}
