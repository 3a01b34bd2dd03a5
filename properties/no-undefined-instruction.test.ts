import { noUndefinedInstruction } from '../src/rules/no-undefined-instruction.ts';
import { describeRule } from './support/rule-property.ts';

describeRule(noUndefinedInstruction);
