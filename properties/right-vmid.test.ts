import { rightVmid } from '../src/rules/right-vmid.ts';
import { describeRule } from './support/rule-property.ts';

describeRule(rightVmid);
