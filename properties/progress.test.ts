import { progress } from '../src/rules/progress.ts';
import { describeRule } from './support/rule-property.ts';

describeRule(progress);
