import { breakBeforeMake } from '../src/rules/break-before-make.ts';
import { describeRule } from './support/rule-property.ts';

describeRule(breakBeforeMake);
