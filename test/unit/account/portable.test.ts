/** One text of each statement for both stores: what words can tell of that, without a server. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { inPostgres, notPortable } from '../../../engine/account/store/dialect.js';

/** Compiled tests run from dist/. */
const ACCOUNT = join(__dirname, '..', '..', '..', '..', 'engine', 'account');
/** These speak to one store only. */
const OWN = /^store[\\/](?:postgres|sqlite|dialect)/;
const SQL = /\b(?:SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CREATE (?:TEMP )?TABLE|CROSS JOIN|JOIN)\b|\bjson_\w+\(/;

/** The texts of a file that look like SQL, with `x` for each part that is put in. */
function textsOf(file: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) found.push(node.text);
    if (ts.isTemplateExpression(node)) {
      found.push([node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('x'));
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest));
  return found.filter((text) => SQL.test(text));
}

describe('the SQL of an account', () => {
  const files = readdirSync(ACCOUNT, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !OWN.test(file),
  );

  it('is understood by both stores, as far as words tell', () => {
    const texts = files.flatMap((file) => textsOf(join(ACCOUNT, file)).map((text) => ({ file, text })));
    assert.ok(texts.length > 100, 'the texts are found');
    const faults = texts.flatMap(({ file, text }) => {
      const fault = notPortable(text);
      return fault === null ? [] : [`${file}: ${fault} (CONTRIBUTING.md, "One SQL for two stores")`];
    });
    assert.deepEqual(faults, []);
  });

  const refused: readonly string[] = [
    `SELECT json_object('a', 1)`,
    'SELECT max(a, b) FROM t',
    'INSERT OR IGNORE INTO t VALUES (1)',
    'SELECT CAST(a AS TEXT) FROM t',
    'SELECT a FROM t WHERE b IS ?1',
    'SELECT rowid FROM t',
    'SELECT a FROM (SELECT 1 AS a) WHERE a = 1',
    `SELECT v.value FROM t CROSS JOIN json_each(t.list) v WHERE v.value = 'x'`,
    'SELECT 1 FROM a CROSS JOIN b',
    'SELECT 1 FROM a CROSS JOIN b CROSS JOIN c ON c.x = b.x',
    'SELECT x FROM t WHERE x IN (SELECT k.v FROM o CROSS JOIN k WHERE k.o = o.x)',
  ];
  for (const sql of refused) it(`negative control: refuses ${sql}`, () => assert.notEqual(notPortable(sql), null));

  it('is said in the words of PostgreSQL, outside of quotes and comments', () => {
    assert.equal(
      inPostgres(
        `SELECT group_concat(a, char(10)) FROM t cross join u ON u.k = t.k WHERE b = ?1 AND c = 'char ?2 INTEGER'`,
      ),
      `SELECT string_agg(a, chr(10)) FROM t JOIN u ON u.k = t.k WHERE b = $1 AND c = 'char ?2 INTEGER'`,
    );
    assert.equal(
      inPostgres(
        `CREATE TEMP TABLE t (a INTEGER, it TEXT) WITHOUT ROWID; -- char ?1\nDELETE FROM t; DELETE FROM u WHERE a = 1`,
      ),
      `CREATE TEMP TABLE t (a BIGINT, it TEXT COLLATE "C") ; -- char ?1\nTRUNCATE t; DELETE FROM u WHERE a = 1`,
    );
    assert.equal(inPostgres(`SELECT 'it''s' || instr(a, 'b')`), `SELECT 'it''s' || strpos(a, 'b')`);
  });
});
