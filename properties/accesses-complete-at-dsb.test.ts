import { accessesCompleteAtDsb } from '../src/rules/accesses-complete-at-dsb.ts';
import { describeRule } from './support/rule-property.ts';

describeRule(accessesCompleteAtDsb);
