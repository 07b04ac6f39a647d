/**
 * Writes sample/company.ldif and sample/known.json: the people of the sample directory. Deterministic: the same program
 * makes the same files. The LDIF has no objectGUID and no objectSid, so that Samba's domain controller takes it as well
 * as the simulator; groups come after their members, save in the two cycles.
 *
 *   node tools/make-company.mjs
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BASE = 'DC=example,DC=test';
const PERSON = ['top', 'person', 'organizationalPerson', 'user'];
const NORMAL = 512;
const DISABLED = 514;
const DISABLED_NO_EXPIRY = 66050;
const SHARED_MAILBOX = 4;
const ROOM_MAILBOX = 16;
const EQUIPMENT_MAILBOX = 32;
const SECURITY = -0x80000000;
const GLOBAL = 2;
const DOMAIN_LOCAL = 4;
const UNIVERSAL = 8;

const entries = [];

// --- distinguished names and LDIF -----------------------------------------------------------------------------------

/** Escapes the value of a name's component (RFC 4514, section 2.4). */
function escaped(value) {
  return value
    .replace(/[\\",+;<>=]/g, '\\$&')
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ');
}

const dnOf = (type, name, parent) => `${type}=${escaped(name)},${parent}`;

/** A value as LDIF writes it (RFC 2849): in clear where that is safe, else in base64; lines of at most 76 characters. */
function line(attribute, value) {
  const text = String(value);
  const safe = /^[\x21-\x39\x3b\x3d-\x7e][\x20-\x7e]*$/.test(text) && !text.endsWith(' ');
  const whole = safe ? `${attribute}: ${text}` : `${attribute}:: ${Buffer.from(text, 'utf8').toString('base64')}`;
  const lines = [whole.slice(0, 76)];
  for (let at = 76; at < whole.length; at += 75) lines.push(` ${whole.slice(at, at + 75)}`);
  return lines.join('\n');
}

/** Adds an entry; `remark` is the comment above it. Attributes that are null or an empty list are left out. */
function add(remark, dn, attributes) {
  const lines = [`# ${remark}`, line('dn', dn)];
  for (const [attribute, values] of Object.entries(attributes)) {
    for (const value of [values ?? []].flat()) lines.push(line(attribute, value));
  }
  entries.push(lines.join('\n'));
  return dn;
}

function unit(name, parent = BASE, remark = name) {
  return add(`Unit: ${remark}`, dnOf('OU', name, parent), { objectClass: ['top', 'organizationalUnit'], ou: name });
}

// --- chance that is not chance --------------------------------------------------------------------------------------

/** Park and Miller's minimal standard generator: equal numbers on every machine. */
let state = 20240811;
function below(limit) {
  state = (state * 48271) % 2147483647;
  return state % limit;
}

function shuffled(list) {
  const cards = [...list];
  for (let at = cards.length - 1; at > 0; at -= 1) {
    const other = below(at + 1);
    [cards[at], cards[other]] = [cards[other], cards[at]];
  }
  return cards;
}

// --- units ----------------------------------------------------------------------------------------------------------

const people = unit('People');
const units = {
  finance: unit('Finance', people),
  sales: unit('Sales, EMEA', people, 'a comma'),
  research: unit('R+D', people, 'a plus sign'),
  support: unit('#1 Support', people, 'a hash in front'),
  legal: unit('Legal "Advice"', people, 'quotation marks'),
  tokyo: unit('東京支社', people, 'Japanese'),
  logistics: unit('Import/Export', people, 'a slash'),
  office: unit('Back\\Office', people, 'a backslash'),
  archive: unit(' Archive', people, 'a space in front'),
  quality: unit('Q=A; <audit>', people, 'equals sign, semicolon, angle brackets'),
};
const leavers = unit('Leavers');
const mailboxes = unit('Mailboxes');
const contactsUnit = unit('Contacts');
const groupsUnit = unit('Groups');
const lists = unit('Lists', groupsUnit);

const departments = {
  finance: 'Finance',
  sales: 'Sales, EMEA',
  research: 'R+D',
  support: '#1 Support',
  legal: 'Legal "Advice"',
  tokyo: '東京支社',
  logistics: 'Import/Export',
  office: 'Back Office',
  archive: 'Archive',
  quality: 'Quality & Audit',
};
const titles = {
  finance: ['Accountant', 'Controller', 'Payroll clerk', 'Treasurer'],
  sales: ['Account manager', 'Sales engineer', 'Key account manager', 'Verkaufsleiterin für Süddeutschland'],
  research: ['Engineer', 'Senior engineer', 'Physicist', 'Chargée de recherche'],
  support: ['Technician', 'First line support', 'Team lead'],
  legal: ['Counsel', 'Paralegal', 'Data protection officer'],
  tokyo: ['営業部長', 'エンジニア', '経理担当'],
  logistics: ['Customs agent', 'Dispatcher', 'Warehouse clerk'],
  office: ['Clerk', 'Office manager', 'Assistant'],
  archive: ['Archivist'],
  quality: ['Auditor', 'Inspector'],
};

// --- people ---------------------------------------------------------------------------------------------------------

const logins = new Set();

/** A login name of at most 20 characters that nobody has yet. */
function loginFor(given, surname) {
  const plain = `${given}.${surname}`
    .toLowerCase()
    .replace(/[^a-z.]/g, '')
    .slice(0, 18)
    .replace(/\.$/, '');
  let login = plain;
  for (let number = 2; logins.has(login); number += 1) login = `${plain}${number}`;
  logins.add(login);
  return login;
}

/** Adds a person. `more` overrides or adds attributes. Gives the distinguished name. */
function person({ remark, cn, given, surname, login, unit: parent, control = NORMAL, ...more }) {
  return add(remark ?? cn, dnOf('CN', cn, parent), {
    objectClass: PERSON,
    cn,
    sn: surname,
    givenName: given,
    displayName: cn,
    sAMAccountName: login,
    userAccountControl: control,
    ...more,
  });
}

/** Names with the Latin letters in which their owners write their addresses. */
const latinGiven =
  `Anna Björn Chloé Dario Élise Fatima George Håkon Inês Jiří Katarzyna Lukas Małgorzata Niamh Øyvind Paulo
  Quentin Rosa Søren Tomáš Ursula Viktor Wanjirũ Zoë`.split(/\s+/);
const latinSurnames = `Adebayo Bähr Çelik Dvořák Eriksson Ferreira Großmann Hughes Ibáñez Jansen Kowalczyk Lefèvre
  Mac Müller Nagy Ołówek Petrović Quirke Rossi Šimánek Thaçi Udo Våge Wójcik Yıldız Zieliński`.split(/\s+/);

const otherScripts = [
  ['Ελένη Παπαδοπούλου', 'Eleni', 'Papadopoulou'],
  ['Γιώργος Νικολάου', 'Giorgos', 'Nikolaou'],
  ['Σοφία Δημητρίου', 'Sofia', 'Dimitriou'],
  ['Νίκος Αγγελόπουλος', 'Nikos', 'Angelopoulos'],
  ['Анна Смирнова', 'Anna', 'Smirnova'],
  ['Дмитрий Щербаков', 'Dmitri', 'Shcherbakov'],
  ['Олена Шевченко', 'Olena', 'Shevchenko'],
  ['Јован Ђорђевић', 'Jovan', 'Djordjevic'],
  ['Мария Йорданова', 'Maria', 'Yordanova'],
  ['ليلى حداد', 'Layla', 'Haddad'],
  ['محمد العمري', 'Mohammed', 'Alomari'],
  ['نور الدين بن علي', 'Noureddine', 'Benali'],
  ['مريم منصور', 'Maryam', 'Mansour'],
  ['יעל כהן', 'Yael', 'Cohen'],
  ['דוד לוי', 'David', 'Levi'],
  ['נועה מזרחי', 'Noa', 'Mizrahi'],
  ['山田 太郎', 'Taro', 'Yamada'],
  ['佐藤 花子', 'Hanako', 'Sato'],
  ['鈴木 一郎', 'Ichiro', 'Suzuki'],
  ['高橋 さくら', 'Sakura', 'Takahashi'],
  ['王 伟', 'Wei', 'Wang'],
  ['李 娜', 'Na', 'Li'],
  ['𠮷野 健', 'Ken', 'Yoshino'],
  ['김 민준', 'Minjun', 'Kim'],
  ['이 서연', 'Seoyeon', 'Lee'],
  ['प्रिया शर्मा', 'Priya', 'Sharma'],
  ['สมชาย ใจดี', 'Somchai', 'Jaidee'],
  ['Նարե Պետրոսյան', 'Nare', 'Petrosyan'],
  ['ნინო ბერიძე', 'Nino', 'Beridze'],
  ['Nguyễn Thị Hương', 'Huong', 'Nguyen'],
];

/** Latin letters for an address: accents off, and the letters that do not decompose by hand. */
function ascii(name) {
  const letters = { ø: 'o', Ø: 'O', ß: 'ss', ł: 'l', Ł: 'L', ı: 'i', Æ: 'Ae', æ: 'ae' };
  return name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[øØßłŁıÆæ]/g, (letter) => letters[letter]);
}

/** What an ordinary person's addresses look like, by turns. Gives mail and proxyAddresses. */
const addressShapes = [
  // Most: mail and SMTP: agree, with or without an alias.
  (a) => ({ mail: a.long, proxyAddresses: [`SMTP:${a.long}`] }),
  (a) => ({ mail: a.long, proxyAddresses: [`SMTP:${a.long}`, `smtp:${a.short}`] }),
  // Several aliases, in both domains.
  (a) => ({
    mail: a.long,
    proxyAddresses: [`smtp:${a.short}`, `SMTP:${a.long}`, `smtp:${a.other}`, `smtp:${a.reversed}`],
  }),
  // Only proxyAddresses.
  (a) => ({ proxyAddresses: [`SMTP:${a.long}`, `smtp:${a.short}`] }),
  // Only mail.
  (a) => ({ mail: a.long }),
  // Capital letters.
  (a) => ({
    mail: a.title,
    proxyAddresses: [`SMTP:${a.title}`, `smtp:${a.short.toUpperCase()}`, `smtp:${a.reversed}`],
  }),
  // Other address types beside the mail addresses.
  (a) => ({
    mail: a.long,
    proxyAddresses: [
      `SMTP:${a.long}`,
      `smtp:${a.short}`,
      `SIP:${a.long}`,
      `X400:c=XX;a= ;p=Example;o=Exchange;s=${a.surname};g=${a.given};`,
      `X500:/o=Example/ou=Exchange Administrative Group/cn=Recipients/cn=${a.given}.${a.surname}`,
    ],
  }),
  // mail is not the address of SMTP:.
  (a) => ({ mail: a.other, proxyAddresses: [`SMTP:${a.long}`, `smtp:${a.short}`] }),
  // No address at all.
  () => ({}),
  // The whole address in the other domain of the account.
  (a) => ({ mail: a.other, proxyAddresses: [`SMTP:${a.other}`] }),
];
/** How often each shape comes, in turns of 40. */
const turns = [
  0, 1, 2, 1, 3, 0, 4, 1, 5, 6, 1, 0, 2, 7, 1, 3, 9, 0, 4, 6, 1, 0, 8, 2, 1, 5, 0, 3, 1, 0, 4, 1, 2, 9, 0, 1, 6, 0, 1,
  3,
];

const taken = new Set();

function addressesOf(given, surname) {
  const g = ascii(given).toLowerCase();
  const s = ascii(surname).toLowerCase();
  const make = (local, domain) => {
    let address = `${local}@${domain}`;
    for (let number = 2; taken.has(address); number += 1) address = `${local}${number}@${domain}`;
    taken.add(address);
    return address;
  };
  const long = make(`${g}.${s}`, 'example.com');
  return {
    given: ascii(given),
    surname: ascii(surname),
    long,
    title: long.replace(/^[a-z]|\.[a-z](?=[^@]*@)/g, (letter) => letter.toUpperCase()),
    short: make(`${g.slice(0, 1)}${s}`, 'example.com'),
    other: make(`${g}.${s}`, 'example.org'),
    reversed: make(`${s}.${g}`, 'example.com'),
  };
}

const unitNames = Object.keys(units).filter((name) => name !== 'tokyo');
const members = Object.fromEntries(Object.keys(units).map((name) => [name, []]));
const withoutAddress = [];
const staff = [];

function ordinary(number, cn, given, surname, home) {
  const shape = turns[number % turns.length];
  const attributes = addressShapes[shape](addressesOf(given, surname));
  const [first, ...rest] = cn.split(' ');
  const title = titles[home][below(titles[home].length)];
  const dn = person({
    remark: cn,
    cn,
    given: first,
    surname: rest.join(' ') || surname,
    login: loginFor(ascii(given), ascii(surname)),
    unit: units[home],
    control: number % 37 === 11 ? DISABLED : NORMAL,
    ...attributes,
    // A person here and there without one or the other.
    title: number % 17 === 3 ? null : title,
    department: number % 19 === 5 ? null : departments[home],
    telephoneNumber: number % 5 === 4 ? null : `+44 20 7946 ${String(number).padStart(4, '0')}`,
  });
  if (Object.keys(attributes).length === 0) withoutAddress.push(dn);
  else {
    members[home].push(dn);
    staff.push(dn);
  }
  return dn;
}

let number = 0;
for (const [cn, given, surname] of otherScripts) {
  const home = /[\u3040-\u30ff\u4e00-\u9fff\u{20000}-\u{2ffff}]/u.test(cn)
    ? 'tokyo'
    : unitNames[number % unitNames.length];
  ordinary(number, cn, given, surname, home);
  number += 1;
}
const latin = shuffled(latinGiven.flatMap((given) => latinSurnames.map((surname) => [given, surname]))).slice(0, 226);
for (const [given, surname] of latin) {
  ordinary(number, `${given} ${surname}`.normalize('NFC'), given, surname, unitNames[number % unitNames.length]);
  number += 1;
}

// --- people with something special ----------------------------------------------------------------------------------

const special = {};

special.comma = person({
  remark: 'A comma in the name',
  cn: 'Okafor, Chidi',
  given: 'Chidi',
  surname: 'Okafor',
  login: 'chidi.okafor',
  unit: units.sales,
  mail: 'chidi.okafor@example.com',
  proxyAddresses: ['SMTP:chidi.okafor@example.com', 'smtp:cokafor@example.com'],
  title: 'Sales director, West Africa',
  department: departments.sales,
  telephoneNumber: '+44 20 7946 0900',
});
special.quote = person({
  remark: 'Quotation marks and an apostrophe in the name',
  cn: 'Seán "Johnny" O\'Brien',
  given: 'Seán',
  surname: "O'Brien",
  login: 'sean.obrien',
  unit: units.legal,
  mail: "sean.o'brien@example.com",
  proxyAddresses: ["SMTP:sean.o'brien@example.com", 'smtp:sean.obrien@example.com', 'smtp:johnny@example.org'],
  title: 'Counsel "of record"',
  department: departments.legal,
});
special.plus = person({
  remark: 'Plus and hash in the name, plus in an alias; displayName differs from cn; no title, no department',
  cn: '#Robot + Co = <Test>; \\o/',
  displayName: 'Robot & Company',
  given: 'Robot',
  surname: 'Co',
  login: 'robot',
  unit: units.quality,
  mail: 'robot@example.com',
  proxyAddresses: ['SMTP:robot@example.com', 'smtp:robot+test@example.com'],
});
special.long = person({
  remark: 'A name of 64 characters, the longest that a cn may have; no displayName',
  cn: 'Wolfeschlegelsteinhausenbergerdorff-Müller-Lüdenscheidt, Huberta',
  displayName: null,
  given: 'Huberta',
  surname: 'Wolfeschlegelsteinhausenbergerdorff',
  login: 'huberta.wolfe',
  unit: units.office,
  mail: 'huberta@example.com',
});
special.manyAliases = person({
  remark: 'Twelve aliases',
  cn: 'Maryna Many',
  given: 'Maryna',
  surname: 'Many',
  login: 'maryna.many',
  unit: units.support,
  mail: 'maryna.many@example.com',
  proxyAddresses: [
    'SMTP:maryna.many@example.com',
    ...Array.from({ length: 11 }, (_, at) => `smtp:helpdesk-${String(at + 1).padStart(2, '0')}@example.com`),
    'smtp:maryna@example.org',
  ],
  title: 'Team lead',
  department: departments.support,
  telephoneNumber: '+44 20 7946 0901',
});
special.lower = person({
  remark: 'No SMTP: and no mail, so the first of the smtp: in the alphabet is the primary address',
  cn: 'Lowercase Only',
  given: 'Lowercase',
  surname: 'Only',
  login: 'lowercase.only',
  unit: units.office,
  proxyAddresses: ['smtp:only.second@example.com', 'smtp:only.first@example.com'],
});
special.lowerWithMail = person({
  remark: 'No SMTP:, so mail is the primary address',
  cn: 'Lowercase Withmail',
  given: 'Lowercase',
  surname: 'Withmail',
  login: 'lowercase.withmail',
  unit: units.office,
  mail: 'withmail@example.com',
  proxyAddresses: ['smtp:a.withmail@example.com', 'smtp:withmail@example.com'],
});
special.twoPrimaries = person({
  remark: 'Two SMTP:, one of them equal to mail: that one is the primary address',
  cn: 'Double Primary',
  given: 'Double',
  surname: 'Primary',
  login: 'double.primary',
  unit: units.office,
  mail: 'Primary.Two@example.com',
  proxyAddresses: ['SMTP:primary.one@example.com', 'SMTP:primary.two@example.com'],
});
special.twoPrimariesWithoutMail = person({
  remark: 'Two SMTP:, neither equal to mail: the first in the alphabet is the primary address',
  cn: 'Double Unclear',
  given: 'Double',
  surname: 'Unclear',
  login: 'double.unclear',
  unit: units.office,
  mail: 'unclear.three@example.com',
  proxyAddresses: ['SMTP:unclear.two@example.com', 'SMTP:unclear.one@example.com'],
});
special.badPrimary = person({
  remark: 'What stands behind SMTP: is no address, so mail is the primary address',
  cn: 'Wrong Proxy',
  given: 'Wrong',
  surname: 'Proxy',
  login: 'wrong.proxy',
  unit: units.office,
  mail: 'wrong.proxy@example.com',
  proxyAddresses: ['SMTP:wrong.proxy', 'smtp:'],
});
special.badMail = person({
  remark: 'mail is no address and there is no other: is read, and set aside',
  cn: 'Wrong Mail',
  given: 'Wrong',
  surname: 'Mail',
  login: 'wrong.mail',
  unit: units.office,
  mail: 'wrong.mail at example.com',
});
special.onlySip = person({
  remark: 'proxyAddresses without a mail address: is read, and set aside',
  cn: 'Sip Only',
  given: 'Sip',
  surname: 'Only',
  login: 'sip.only',
  unit: units.office,
  proxyAddresses: ['SIP:sip.only@example.com', 'X500:/o=Example/cn=Recipients/cn=sip.only'],
});
special.padded = person({
  remark: 'Spaces around the addresses',
  cn: 'Padded Space',
  given: 'Padded',
  surname: 'Space',
  login: 'padded.space',
  unit: units.archive,
  proxyAddresses: ['SMTP: padded.space@example.com ', 'smtp:p.space@example.com '],
});

// Two people who claim one address, in each way that this can be.
person({
  remark: 'Claims an alias that is also an alias of Clash Bravo',
  cn: 'Clash Alpha',
  given: 'Clash',
  surname: 'Alpha',
  login: 'clash.alpha',
  unit: units.quality,
  mail: 'clash.alpha@example.com',
  proxyAddresses: ['SMTP:clash.alpha@example.com', 'smtp:clash.both@example.com', 'smtp:clash.golf@example.com'],
});
person({
  remark: 'Claims an alias that is also an alias of Clash Alpha',
  cn: 'Clash Bravo',
  given: 'Clash',
  surname: 'Bravo',
  login: 'clash.bravo',
  unit: units.quality,
  mail: 'clash.bravo@example.com',
  proxyAddresses: ['SMTP:clash.bravo@example.com', 'smtp:Clash.Both@example.com'],
});
person({
  remark: 'Claims as alias the primary address of Clash Delta',
  cn: 'Clash Charlie',
  given: 'Clash',
  surname: 'Charlie',
  login: 'clash.charlie',
  unit: units.quality,
  mail: 'clash.charlie@example.com',
  proxyAddresses: ['SMTP:clash.charlie@example.com', 'smtp:clash.delta@example.com'],
});
special.delta = person({
  remark: 'Owns an address that Clash Charlie claims as alias',
  cn: 'Clash Delta',
  given: 'Clash',
  surname: 'Delta',
  login: 'clash.delta',
  unit: units.quality,
  mail: 'clash.delta@example.com',
  proxyAddresses: ['SMTP:clash.delta@example.com'],
});
special.echo = person({
  remark: 'Has the same primary address as Clash Foxtrot, and keeps it: this name sorts first',
  cn: 'Clash Echo',
  given: 'Clash',
  surname: 'Echo',
  login: 'clash.echo',
  unit: units.quality,
  mail: 'clash.primary@example.com',
  proxyAddresses: ['SMTP:clash.primary@example.com', 'smtp:clash.echo@example.com'],
});
special.foxtrot = person({
  remark: 'Has the same primary address as Clash Echo, and is set aside; its alias remains free for Clash Alpha',
  cn: 'Clash Foxtrot',
  given: 'Clash',
  surname: 'Foxtrot',
  login: 'clash.foxtrot',
  unit: units.quality,
  mail: 'Clash.Primary@example.com',
  proxyAddresses: ['SMTP:Clash.Primary@example.com', 'smtp:clash.golf@example.com'],
});

// Outside the account's domains.
special.outside = [
  [
    'Outside Primary',
    'outside.primary',
    ['SMTP:outside.primary@partner.example.net', 'smtp:outside.alias@example.com'],
  ],
  ['Outside Mail', 'outside.mail', []],
  ['Outside Subdomain', 'outside.sub', ['SMTP:outside.sub@mail.example.com']],
].map(([cn, login, proxyAddresses]) =>
  person({
    remark: 'The primary address is in none of the account’s domains',
    cn,
    given: 'Outside',
    surname: cn.split(' ')[1],
    login,
    unit: units.logistics,
    mail: proxyAddresses[0]?.slice(5) ?? `${login}@partner.example.net`,
    proxyAddresses,
    title: 'Contractor',
    department: departments.logistics,
  }),
);
special.outsideAlias = ['Inga', 'Ivo'].map((given) =>
  person({
    remark: 'An alias is in none of the account’s domains',
    cn: `${given} Inside`,
    given,
    surname: 'Inside',
    login: `${given.toLowerCase()}.inside`,
    unit: units.logistics,
    mail: `${given.toLowerCase()}.inside@example.com`,
    proxyAddresses: [
      `SMTP:${given.toLowerCase()}.inside@example.com`,
      `smtp:${given.toLowerCase()}@partner.example.net`,
      `smtp:${given.toLowerCase()}.inside@example.org`,
    ],
    title: 'Liaison',
    department: departments.logistics,
    telephoneNumber: '+44 20 7946 0902',
  }),
);

// Disabled people.
special.disabled = ['Lena', 'Liam', 'Lotte', 'Luca', 'Lucía', 'Ludvík'].map((given, at) => {
  const login = `${ascii(given).toLowerCase()}.leaver`;
  return person({
    remark: at % 2 === 0 ? 'Disabled' : 'Disabled, with a password that does not expire',
    cn: `${given} Leaver`,
    given,
    surname: 'Leaver',
    login,
    unit: leavers,
    control: at % 2 === 0 ? DISABLED : DISABLED_NO_EXPIRY,
    mail: `${login}@example.com`,
    proxyAddresses: [`SMTP:${login}@example.com`],
    title: 'Former employee',
    department: departments.office,
  });
});

// Mailboxes that are disabled accounts by nature.
special.mailboxes = [
  ['Info desk', 'info', SHARED_MAILBOX, ['smtp:contact@example.com', 'smtp:hello@example.org']],
  ['Invoices', 'invoices', SHARED_MAILBOX, ['smtp:billing@example.com']],
  ['Room Ada Lovelace', 'room-ada', ROOM_MAILBOX, []],
  ['Room 会議室', 'room-kaigi', ROOM_MAILBOX, []],
  ['Projector 2', 'projector2', EQUIPMENT_MAILBOX, []],
].map(([cn, login, recipientType, aliases]) =>
  person({
    remark: { [SHARED_MAILBOX]: 'A shared mailbox', [ROOM_MAILBOX]: 'A room', [EQUIPMENT_MAILBOX]: 'Equipment' }[
      recipientType
    ],
    cn,
    surname: null,
    given: null,
    login,
    unit: mailboxes,
    control: DISABLED,
    mail: `${login}@example.com`,
    proxyAddresses: [`SMTP:${login}@example.com`, ...aliases],
    msExchRecipientTypeDetails: recipientType,
  }),
);

// People without any address, for the groups without one.
special.silent = ['Silke', 'Simon', 'Svea'].map((given) =>
  person({
    remark: 'No address at all',
    cn: `${given} Silent`,
    given,
    surname: 'Silent',
    login: `${given.toLowerCase()}.silent`,
    unit: units.archive,
    title: 'Archivist',
    department: departments.archive,
  }),
);
special.service = person({
  remark: 'A service account: disabled, no address',
  cn: 'svc-backup',
  given: null,
  surname: null,
  login: 'svc-backup',
  unit: units.archive,
  control: DISABLED,
});

// --- contacts -------------------------------------------------------------------------------------------------------

function contact(remark, cn, attributes) {
  return add(`Contact: ${remark}`, dnOf('CN', cn, contactsUnit), {
    objectClass: ['top', 'person', 'organizationalPerson', 'contact'],
    cn,
    displayName: cn,
    ...attributes,
  });
}

const contacts = [
  contact('mail, proxyAddresses and targetAddress', 'Auditor Example Ltd', {
    mail: 'auditor@auditors.example.net',
    proxyAddresses: ['SMTP:auditor@auditors.example.net', 'smtp:audit@auditors.example.net'],
    targetAddress: 'SMTP:auditor@auditors.example.net',
    title: 'External auditor',
  }),
  contact('only mail', 'Bank, Example & Sons', { mail: 'desk@bank.example.net', telephoneNumber: '+1 202 555 0101' }),
  contact('only proxyAddresses', 'Юридическая фирма', { proxyAddresses: ['SMTP:office@law.example.net'] }),
  contact('capital letters', 'Courier Service', {
    mail: 'Dispatch@Courier.Example.NET',
    proxyAddresses: ['SMTP:Dispatch@Courier.Example.NET', 'smtp:PICKUP@courier.example.net'],
    department: 'Logistics partner',
  }),
  contact('a name in Japanese', '取引先 株式会社', { mail: 'sales@torihikisaki.example.net' }),
  contact('a name in Arabic', 'شركة الشحن', { mail: 'shipping@shahn.example.net' }),
  ...['Printer repair', 'Catering', 'Cleaning company', 'Travel agency', 'Landlord', 'Insurance broker'].map((cn) =>
    contact('an ordinary one', cn, {
      mail: `office@${cn.toLowerCase().replace(/ /g, '-')}.example.net`,
      proxyAddresses: [`SMTP:office@${cn.toLowerCase().replace(/ /g, '-')}.example.net`],
      title: 'Supplier',
    }),
  ),
];
contact('no address at all: is not read', 'Nobody in particular', {});
const contactWithoutValidAddress = contact('mail is no address: is read, and set aside', 'Old fax machine', {
  mail: 'fax number 555 0102',
});

// --- groups ---------------------------------------------------------------------------------------------------------

function group(remark, cn, groupType, member, attributes = {}, parent = groupsUnit) {
  const login = `grp-${String(logins.size)}`;
  logins.add(login);
  return add(`Group: ${remark}`, dnOf('CN', cn, parent), {
    objectClass: ['top', 'group'],
    cn,
    sAMAccountName: login,
    groupType: groupType,
    ...attributes,
    member,
  });
}

const addressed = (local, ...aliases) => ({
  mail: `${local}@example.com`,
  proxyAddresses: [`SMTP:${local}@example.com`, ...aliases.map((alias) => `smtp:${alias}@example.com`)],
});

// One security group for each department.
const teams = Object.fromEntries(
  Object.keys(units).map((name) => [
    name,
    group(`everybody in ${departments[name]}`, `Team ${departments[name]}`, SECURITY + GLOBAL, members[name], {
      displayName: `Team ${departments[name]}`,
      ...addressed(`team-${name}`, `${name}-all`),
    }),
  ]),
);

// Three deep, and in the lowest some members that are in the upper ones too.
const team1 = group('the lowest of three', 'Nested level 3', SECURITY + GLOBAL, [special.comma, special.quote]);
const team2 = group('the middle of three', 'Nested level 2', SECURITY + UNIVERSAL, [team1]);
group('the upper of three', 'Nested level 1', SECURITY + DOMAIN_LOCAL, [team2, special.comma], {
  displayName: 'Nested, all levels',
});

// Cycles: only here does a group stand in the file before a member of it.
const inCycle = (name) => dnOf('CN', name, groupsUnit);
group('a cycle of three, with a person in the last', 'Cycle A', UNIVERSAL, [inCycle('Cycle B')]);
group('a cycle of three, with a person in the last', 'Cycle B', UNIVERSAL, [inCycle('Cycle C')]);
group('a cycle of three, with a person in the last', 'Cycle C', UNIVERSAL, [inCycle('Cycle A'), special.delta]);
group('a cycle of two, nobody with mail', 'Ring X', UNIVERSAL, [inCycle('Ring Y')]);
group('a cycle of two, nobody with mail', 'Ring Y', UNIVERSAL, [inCycle('Ring X'), special.silent[0]]);

group('empty', 'Empty', SECURITY + GLOBAL, []);
group('empty, with an address', 'Empty with address', UNIVERSAL, [], addressed('empty'), lists);
group('no member with mail', 'Silent people', SECURITY + GLOBAL, [...special.silent, special.service]);
const silent = group('no member with mail', 'Silent people too', SECURITY + GLOBAL, special.silent.slice(1));
group('no member with mail, not even a nested one', 'Silent, nested', SECURITY + UNIVERSAL, [silent]);
group('no member with a valid address', 'Wrong addresses', SECURITY + GLOBAL, [
  special.badMail,
  special.onlySip,
  contactWithoutValidAddress,
]);
group('its only member with mail is outside the account’s domains', 'Contractors', GLOBAL, special.outside, {
  displayName: 'Contractors (outside)',
});
group('its only member with mail lost a clash', 'Clash losers', GLOBAL, [special.foxtrot]);
group('disabled people only', 'Leavers 2023', SECURITY + GLOBAL, special.disabled);
group('mailboxes and a person', 'Info team', SECURITY + UNIVERSAL, [...special.mailboxes, special.manyAliases]);
group('contacts only', 'Suppliers', UNIVERSAL, contacts.slice(6), addressed('suppliers'), lists);
group(
  'contacts and people',
  'External, and "internal" auditors',
  UNIVERSAL,
  [contacts[0], special.plus, special.long],
  {},
  lists,
);
group('a person with mail among those without', 'Archive keys', SECURITY + DOMAIN_LOCAL, [
  special.padded,
  ...special.silent,
]);
group('names in other scripts', '東京チーム, 全員', SECURITY + GLOBAL, members.tokyo, { displayName: '東京チーム' });
group(
  'a name with odd characters',
  '#announce+all; <test>',
  UNIVERSAL,
  [special.plus, teams.quality],
  addressed('announce'),
  lists,
);
group('same display name as the next', 'Aurora 1', UNIVERSAL, [special.lower], {
  displayName: 'Project Aurora',
  ...addressed('aurora-1'),
});
group(
  'same display name as the one before',
  'Aurora 2',
  SECURITY + DOMAIN_LOCAL,
  [special.lowerWithMail, contacts[1]],
  {
    displayName: 'Project Aurora',
  },
);
const company = group(
  'everybody, by teams',
  'All teams',
  UNIVERSAL,
  Object.values(teams),
  addressed('all-teams'),
  lists,
);
group('everybody, one by one', 'Everybody', UNIVERSAL, staff, addressed('everybody', 'all'), lists);
group(
  'nested groups, a contact and a person',
  'Newsletter',
  UNIVERSAL,
  [company, contacts[2], special.echo],
  addressed('newsletter'),
  lists,
);

// --- dynamic distribution lists -------------------------------------------------------------------------------------

function dynamicList(remark, cn, attributes) {
  add(`Dynamic distribution list: ${remark}`, dnOf('CN', cn, lists), {
    objectClass: ['top', 'msExchDynamicDistributionList'],
    cn,
    ...attributes,
  });
}
dynamicList('everybody in one department', 'All engineers', {
  displayName: 'All engineers (dynamic)',
  ...addressed('all-engineers', 'engineers'),
  msExchDynamicDLFilter: '(&(objectClass=user)(department=R+D)(mail=*))',
  msExchDynamicDLBaseDN: people,
});
dynamicList('without a display name', 'Tokyo (dynamic)', {
  mail: 'tokyo-dynamic@example.com',
  msExchDynamicDLFilter: '(&(objectClass=user)(department=東京支社))',
  msExchDynamicDLBaseDN: units.tokyo,
});
dynamicList('without an address: is not added', 'Draft (dynamic)', {
  msExchDynamicDLFilter: '(objectClass=contact)',
  msExchDynamicDLBaseDN: contactsUnit,
});

// --- what the account knew before -----------------------------------------------------------------------------------

const known = [
  { address: 'chidi.okafor@example.com', name: 'Chidi', origin: 'manual' },
  { address: 'maryna.many@example.com', origin: 'mail-flow' },
  { address: 'Hanako.Sato@example.com', name: 'Sato', origin: 'mail-flow' },
  { address: 'lena.leaver@example.com', origin: 'mail-flow' },
  { address: 'info@example.com', name: 'Info', origin: 'manual' },
  { address: 'johnny@example.org', name: 'Johnny (an alias of Seán O’Brien)', origin: 'mail-flow' },
  { address: 'noreply@example.com', origin: 'mail-flow' },
  { address: 'scanner-3rd-floor@example.com', name: 'Scanner, 3rd floor', origin: 'manual' },
  { address: 'webshop@example.org', origin: 'mail-flow' },
  { address: 'postmaster@example.com', name: 'Postmaster', origin: 'manual' },
  { address: 'old.newsletter@example.org', origin: 'mail-flow' },
];

// --- files ----------------------------------------------------------------------------------------------------------

const header = `version: 1

# A company of about 300 people, as Active Directory shows one. Made by tools/make-company.mjs: change it there, or here to
# see what a change of the directory does to the account ("npm start" reads this file). Everybody in it is invented; the
# domains are reserved for examples (RFC 2606), and the account's domains are example.com and example.org.
#
# There is no objectGUID and no objectSid in it: the server gives them. Values in base64 ("name::") are those that LDIF
# (RFC 2849) cannot show as they are, such as other scripts; the comment above each entry says who it is.`;

const root = fileURLToPath(new URL('..', import.meta.url));
writeFileSync(`${root}sample/company.ldif`, `${header}\n\n${entries.join('\n\n')}\n`);
writeFileSync(`${root}sample/known.json`, `${JSON.stringify(known, null, 2)}\n`);
