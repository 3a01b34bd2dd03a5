import { contentsAfterReturn } from '../src/rules/contents-after-return.ts';
import { describeRule } from './support/rule-property.ts';

describeRule(contentsAfterReturn);
