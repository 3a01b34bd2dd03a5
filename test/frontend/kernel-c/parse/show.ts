import type {
  Declaration,
  Expression,
  Initializer,
  Statement,
  TypeSyntax,
} from '../../../../src/frontend/kernel-c/parse/ast.ts';
import { parseBody, parseUnit, type Unit } from '../../../../src/frontend/kernel-c/parse/unit.ts';
import { preprocessFiles } from '../units.ts';

export function unitOf(text: string): Unit {
  const tokens = preprocessFiles({ 'main.c': text });
  if (tokens.kind === 'failed') throw new Error(tokens.diagnostic.message);
  const unit = parseUnit(tokens.value.tokens);
  if (unit.kind === 'failed') throw new Error(JSON.stringify(unit.diagnostic));
  return unit.value;
}

/** Parses the text and the bodies of all its functions; the first diagnostic, or 'ok'. */
export function check(text: string): string {
  const tokens = preprocessFiles({ 'main.c': text });
  if (tokens.kind === 'failed') return tokens.diagnostic.message;
  const unit = parseUnit(tokens.value.tokens);
  const say = (d: { line: number; column: number; message: string }): string =>
    `${d.line}:${d.column}: ${d.message}`;
  if (unit.kind === 'failed') return say(unit.diagnostic);
  for (const definition of unit.value.functions.values()) {
    const body = parseBody(unit.value, definition);
    if (body.kind === 'failed') return say(body.diagnostic);
  }
  return 'ok';
}

export function bodyOf(unit: Unit, name: string): readonly Statement[] {
  const definition = unit.functions.get(name);
  if (definition === undefined) throw new Error(`no function ${name}`);
  const body = parseBody(unit, definition);
  if (body.kind === 'failed') throw new Error(JSON.stringify(body.diagnostic));
  return body.value.items;
}

/** The statements of `f`, in a prefix notation that shows what binds to what. */
export function showBody(declarations: string, body: string): string {
  return bodyOf(unitOf(`${declarations}\nvoid f(void) { ${body} }`), 'f')
    .map(statement)
    .join(' ');
}

export function expression(e: Expression): string {
  switch (e.kind) {
    case 'integer':
      return `${e.value}${e.type === 'int' ? '' : `:${e.type}`}`;
    case 'float':
      return e.text;
    case 'string':
      return JSON.stringify(e.text);
    case 'identifier':
      return e.name;
    case 'call':
      return `${expression(e.callee)}(${e.arguments.map(expression).join(', ')})`;
    case 'index':
      return `${expression(e.object)}[${expression(e.index)}]`;
    case 'member':
      return `${expression(e.object)}${e.arrow ? '->' : '.'}${e.name}`;
    case 'unary':
      return `(${e.operator} ${expression(e.operand)})`;
    case 'step':
      return e.prefix
        ? `(${e.operator} ${expression(e.operand)})`
        : `(${expression(e.operand)} ${e.operator})`;
    case 'binary':
      return `(${expression(e.left)} ${e.operator} ${expression(e.right)})`;
    case 'assign':
      return `(${expression(e.target)} ${e.operator ?? ''}= ${expression(e.value)})`;
    case 'conditional':
      return `(${expression(e.test)} ? ${e.yes === null ? '' : expression(e.yes)} : ${expression(e.no)})`;
    case 'comma':
      return `(${expression(e.left)} , ${expression(e.right)})`;
    case 'cast':
      return `<${type(e.type)}>${expression(e.operand)}`;
    case 'compound-literal':
      return `<${type(e.type)}>${initializer(e.initializer)}`;
    case 'measure-expression':
      return `${e.what}(${expression(e.operand)})`;
    case 'measure-type':
      return `${e.what}<${type(e.type)}>`;
    case 'statement-expression':
      return `({${e.body.items.map(statement).join(' ')}})`;
    case 'label-address':
      return `&&${e.label}`;
    case 'generic':
      return `generic(${expression(e.selector)}; ${e.choices
        .map((c) => `${c.type === null ? 'default' : type(c.type)}: ${expression(c.value)}`)
        .join('; ')})`;
    case 'offsetof':
      return `offsetof<${type(e.type)}>${e.path
        .map((s) => (s.kind === 'field' ? `.${s.name}` : `[${expression(s.index)}]`))
        .join('')}`;
    case 'types-compatible':
      return `compatible<${type(e.a)} | ${type(e.b)}>`;
    case 'choose':
      return `choose(${expression(e.test)}, ${expression(e.yes)}, ${expression(e.no)})`;
    case 'va-arg':
      return `va-arg<${type(e.type)}>(${expression(e.list)})`;
  }
}

export function type(t: TypeSyntax): string {
  switch (t.kind) {
    case 'base':
      return t.name;
    case 'qualified':
      return `${t.qualifiers.const ? 'const ' : ''}${t.qualifiers.volatile ? 'volatile ' : ''}${type(t.of)}`;
    case 'typedef':
      return t.name;
    case 'record':
      return `record#${t.record}`;
    case 'enum':
      return `enum#${t.enum}`;
    case 'pointer':
      return `*${type(t.to)}`;
    case 'array':
      return `[${t.size === null ? '' : expression(t.size)}]${type(t.of)}`;
    case 'function':
      return `fn(${t.parameters.map((p) => type(p.type)).join(', ')}${t.variadic ? ', ...' : ''})${type(t.returns)}`;
    case 'typeof':
      return `typeof(${expression(t.expression)})`;
    case 'auto':
      return 'auto';
    case 'attributed':
      return `attributed ${type(t.of)}`;
  }
}

export function initializer(i: Initializer): string {
  if (i.kind === 'expression') return expression(i.expression);
  const items = i.items.map((item) => {
    const path = item.designators.map((d) => {
      if (d.kind === 'field') return `.${d.name}`;
      if (d.kind === 'index') return `[${expression(d.index)}]`;
      return `[${expression(d.low)}...${expression(d.high)}]`;
    });
    return path.length === 0
      ? initializer(item.value)
      : `${path.join('')}=${initializer(item.value)}`;
  });
  return `{${items.join(', ')}}`;
}

function declaration(d: Declaration): string {
  const one = d.declarators.map(
    (x) =>
      `${x.name}: ${type(x.type)}${x.initializer === null ? '' : ` = ${initializer(x.initializer)}`}`,
  );
  return `${d.storage === null ? '' : `${d.storage} `}${one.join(', ')};`;
}

export function statement(s: Statement): string {
  switch (s.kind) {
    case 'compound':
      return `{${s.items.map(statement).join(' ')}}`;
    case 'declaration':
      return declaration(s);
    case 'expression':
      return `${expression(s.expression)};`;
    case 'empty':
      return ';';
    case 'local-labels':
      return `labels ${s.names.join(' ')};`;
    case 'if':
      return `if ${expression(s.test)} ${statement(s.yes)}${s.no === null ? '' : ` else ${statement(s.no)}`}`;
    case 'while':
      return `while ${expression(s.test)} ${statement(s.body)}`;
    case 'do':
      return `do ${statement(s.body)} while ${expression(s.test)};`;
    case 'for': {
      const init =
        s.init === null
          ? ''
          : s.init.kind === 'declaration'
            ? declaration(s.init)
            : expression(s.init);
      const show = (e: Expression | null): string => (e === null ? '' : expression(e));
      return `for [${init} | ${show(s.test)} | ${show(s.step)}] ${statement(s.body)}`;
    }
    case 'switch':
      return `switch ${expression(s.value)} ${statement(s.body)}`;
    case 'case':
      return `case ${expression(s.low)}${s.high === null ? '' : `...${expression(s.high)}`}: ${statement(s.body)}`;
    case 'default':
      return `default: ${statement(s.body)}`;
    case 'label':
      return `${s.name}: ${statement(s.body)}`;
    case 'goto':
      return `goto ${s.label};`;
    case 'goto-address':
      return `goto *${expression(s.target)};`;
    case 'break':
    case 'continue':
      return `${s.kind};`;
    case 'return':
      return `return${s.value === null ? '' : ` ${expression(s.value)}`};`;
    case 'asm': {
      const operands = (list: typeof s.inputs): string =>
        list
          .map(
            (o) =>
              `${o.name === null ? '' : `[${o.name}]`}${o.constraint}(${expression(o.expression)})`,
          )
          .join(',');
      return `asm${s.volatile ? '!' : ''} ${JSON.stringify(s.template)} : ${operands(s.outputs)} : ${operands(s.inputs)} : ${s.clobbers.join(',')} : ${s.labels.join(',')};`;
    }
    case 'static-assert':
      return `assert ${expression(s.test)};`;
  }
}
