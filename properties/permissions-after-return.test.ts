import { permissionsAfterReturn } from '../src/rules/permissions-after-return.ts';
import { describeRule } from './support/rule-property.ts';

describeRule(permissionsAfterReturn);
