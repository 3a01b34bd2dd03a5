import { noWalkOfFreedTable } from '../src/rules/no-walk-of-freed-table.ts';
import { describeRule } from './support/rule-property.ts';

describeRule(noWalkOfFreedTable);
