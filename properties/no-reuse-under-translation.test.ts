import { noReuseUnderTranslation } from '../src/rules/no-reuse-under-translation.ts';
import { describeRule } from './support/rule-property.ts';

describeRule(noReuseUnderTranslation);
