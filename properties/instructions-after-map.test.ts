import { instructionsAfterMap } from '../src/rules/instructions-after-map.ts';
import { describeRule } from './support/rule-property.ts';

describeRule(instructionsAfterMap);
