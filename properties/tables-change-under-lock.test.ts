import { tablesChangeUnderLock } from '../src/rules/tables-change-under-lock.ts';
import { describeRule } from './support/rule-property.ts';

describeRule(tablesChangeUnderLock);
