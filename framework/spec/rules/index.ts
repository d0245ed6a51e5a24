import { rule as badHeader } from './bad-header.ts';
import { rule as baseUrl } from './base-url.ts';
import { rule as bodyShape } from './body-shape.ts';
import { rule as callMethod } from './call-method.ts';
import { rule as captureHosts } from './capture-hosts.ts';
import { rule as columnOrder } from './column-order.ts';
import { rule as commentAfterExpression } from './comment-after-expression.ts';
import { rule as cursorFormat } from './cursor-format.ts';
import { rule as cursorIncomplete } from './cursor-incomplete.ts';
import { rule as cursorUnused } from './cursor-unused.ts';
import { rule as defaultOption } from './default-option.ts';
import { rule as eachVariable } from './each-variable.ts';
import { rule as examplePattern } from './example-pattern.ts';
import { rule as expressionInLiteral } from './expression-in-literal.ts';
import { rule as expressionName } from './expression-name.ts';
import { rule as expressionPlace } from './expression-place.ts';
import { rule as expressionRefused } from './expression-refused.ts';
import { rule as expressionSyntax } from './expression-syntax.ts';
import { rule as expressionType } from './expression-type.ts';
import { rule as fieldCollision } from './field-collision.ts';
import { FOUND_ELSEWHERE } from './found-elsewhere.ts';
import { rule as implicitGrant } from './implicit-grant.ts';
import { rule as jobDownload } from './job-download.ts';
import { rule as jobIncomplete } from './job-incomplete.ts';
import { rule as jobVariable } from './job-variable.ts';
import { rule as methodSteps } from './method-steps.ts';
import { rule as methodVariable } from './method-variable.ts';
import { rule as missingCheck } from './missing-check.ts';
import { rule as missingEndpoint } from './missing-endpoint.ts';
import { rule as nameFile } from './name-file.ts';
import { rule as nullItem } from './null-item.ts';
import { rule as numberTooLarge } from './number-too-large.ts';
import { rule as optionAttribute } from './option-attribute.ts';
import { rule as pageSize } from './page-size.ts';
import { rule as paginateAmend } from './paginate-amend.ts';
import { rule as parentCycle } from './parent-cycle.ts';
import { rule as parentVariable } from './parent-variable.ts';
import { rule as parentsChanged } from './parents-changed.ts';
import { rule as passwordGrant } from './password-grant.ts';
import { rule as pathSyntax } from './path-syntax.ts';
import { rule as patternExplodes } from './pattern-explodes.ts';
import { rule as patternInvalid } from './pattern-invalid.ts';
import { rule as patternUnanchored } from './pattern-unanchored.ts';
import { rule as pkceOff } from './pkce-off.ts';
import { rule as plainHttp } from './plain-http.ts';
import { rule as primaryKey } from './primary-key.ts';
import { rule as reservedName } from './reserved-name.ts';
import { rule as restart } from './restart.ts';
import type { Rule } from './rule.ts';
import { rule as secretField } from './secret-field.ts';
import { rule as secretInUrl } from './secret-in-url.ts';
import { rule as secretLiteral } from './secret-literal.ts';
import { rule as streamSource } from './stream-source.ts';
import { rule as templateParameter } from './template-parameter.ts';
import { rule as tokenInUrl } from './token-in-url.ts';
import { rule as totalOfPages } from './total-of-pages.ts';
import { rule as unknownColumn } from './unknown-column.ts';
import { rule as unknownParent } from './unknown-parent.ts';
import { rule as unknownTemplate } from './unknown-template.ts';
import { rule as unreachableRule } from './unreachable-rule.ts';
import { rule as unusedChoice } from './unused-choice.ts';
import { rule as unusedField } from './unused-field.ts';
import { rule as unusedTemplate } from './unused-template.ts';
import { rule as windowStart } from './window-start.ts';
import { rule as windowVariable } from './window-variable.ts';

export type { Rule } from './rule.ts';

/** Every rule, by name: the docs have a page for each, and `ferrule-ignore` knows these names only. */
export const RULES: readonly Rule[] = Object.freeze(
  [
    ...FOUND_ELSEWHERE,
    badHeader,
    baseUrl,
    bodyShape,
    callMethod,
    captureHosts,
    columnOrder,
    commentAfterExpression,
    cursorFormat,
    cursorIncomplete,
    cursorUnused,
    defaultOption,
    eachVariable,
    examplePattern,
    expressionInLiteral,
    expressionName,
    expressionPlace,
    expressionRefused,
    expressionSyntax,
    expressionType,
    fieldCollision,
    implicitGrant,
    jobDownload,
    jobIncomplete,
    jobVariable,
    methodSteps,
    methodVariable,
    missingCheck,
    missingEndpoint,
    nameFile,
    nullItem,
    numberTooLarge,
    optionAttribute,
    pageSize,
    paginateAmend,
    parentCycle,
    parentVariable,
    parentsChanged,
    passwordGrant,
    pathSyntax,
    patternExplodes,
    patternInvalid,
    patternUnanchored,
    pkceOff,
    plainHttp,
    primaryKey,
    reservedName,
    restart,
    secretField,
    secretInUrl,
    secretLiteral,
    streamSource,
    templateParameter,
    tokenInUrl,
    totalOfPages,
    unknownColumn,
    unknownParent,
    unknownTemplate,
    unreachableRule,
    unusedChoice,
    unusedField,
    unusedTemplate,
    windowStart,
    windowVariable,
  ].sort((a, b) => (a.name < b.name ? -1 : 1)),
);

const names = new Set(RULES.map(({ name }) => name));
if (names.size !== RULES.length) throw new Error('two rules have one name');

export const isRule = (name: string): boolean => names.has(name);
