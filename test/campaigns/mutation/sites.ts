/** Where compiled code can be changed by one thing: in the JavaScript by its syntax tree, in the SQL texts by their words. */
import ts from 'typescript';
import { sqlSites } from './sql-sites.js';

/** One change: the text from `start` to `end` becomes `text`. */
export interface Site {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** All of them, in the order of the source. */
export function sitesOf(source: string): Site[] {
  const file = ts.createSourceFile('x.js', source, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const sites: Site[] = [];
  const visit = (node: ts.Node) => {
    sites.push(...sitesAt(node, source));
    ts.forEachChild(node, visit);
  };
  for (const statement of file.statements) if (!isFurniture(statement, source)) visit(statement);
  return sites.sort((left, right) => left.start - right.start || left.end - right.end);
}

/** What the compiler puts around a module. */
function isFurniture(statement: ts.Statement, source: string): boolean {
  const text = source.slice(statement.getStart(), statement.end);
  return /^(?:"use strict"|exports\.|Object\.defineProperty\(exports|const \w+ = require\()/.test(text);
}

/** For a database's planner: the same rows come of it. */
const HINT = /^await (?:\w+\.analyze|\(0, \w+\.indexPlan\))\(/;

const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '&&': ['||'],
  '||': ['&&'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
};

function sitesAt(node: ts.Node, source: string): Site[] {
  const replaced = (text: string, at: ts.Node = node): Site => ({ start: at.getStart(), end: at.end, text });
  if (ts.isBinaryExpression(node)) {
    const sign = node.operatorToken.getText();
    // A text put together is no sum.
    if (sign === '+' && /['"`]/.test(node.getText())) return [];
    return (OPERATORS[sign] ?? []).map((text) => replaced(text, node.operatorToken));
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken) {
    return [replaced(node.operand.getText())];
  }
  if (ts.isIfStatement(node) || ts.isConditionalExpression(node)) {
    const condition = ts.isIfStatement(node) ? node.expression : node.condition;
    return [replaced('true', condition), replaced('false', condition)];
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword) return [replaced('false')];
  if (node.kind === ts.SyntaxKind.FalseKeyword) return [replaced('true')];
  // A call of something imported is `(0, module.name)()`.
  if (ts.isNumericLiteral(node) && ts.isBinaryExpression(node.parent) && node.parent.operatorToken.getText() === ',')
    return [];
  if (ts.isNumericLiteral(node))
    return [replaced(node.text === '0' ? '1' : node.text === '1' ? '0' : `(${node.text} + 1)`)];
  if (ts.isExpressionStatement(node) && HINT.test(node.getText())) return [];
  // A statement that does something and gives nothing.
  if (ts.isExpressionStatement(node) && !ts.isStringLiteral(node.expression))
    return [replaced(';'), ...sqlIn(node, source)];
  return sqlIn(node, source);
}

function sqlIn(node: ts.Node, source: string): Site[] {
  if (!ts.isNoSubstitutionTemplateLiteral(node) && !ts.isTemplateExpression(node) && !ts.isStringLiteral(node))
    return [];
  const start = node.getStart();
  return sqlSites(source.slice(start, node.end)).map((site) => ({
    ...site,
    start: site.start + start,
    end: site.end + start,
  }));
}
