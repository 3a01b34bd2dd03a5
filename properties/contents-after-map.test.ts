import { contentsAfterMap } from '../src/rules/contents-after-map.ts';
import { describeRule } from './support/rule-property.ts';

describeRule(contentsAfterMap);
