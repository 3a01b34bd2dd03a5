import { noAccessAfterReturn } from '../src/rules/no-access-after-return.ts';
import { describeRule } from './support/rule-property.ts';

describeRule(noAccessAfterReturn);
