/**
 * What the edit dialogs of the eight node types share: the rules for their fields and the look of their forms.
 * Loaded by the HTML file of every node type, whichever comes first; it runs once.
 *
 * The rules are those of nodes/<type>/settings.ts, told while somebody types. The runtime checks again.
 */
(function () {
  if (window.directorySync) return;

  $('<link rel="stylesheet" href="resources/@dirflow/node-red-directory-sync/editor.css">').appendTo(document.head);

  /** Entries of a text list: separated by commas, semicolons, blanks or new lines. */
  const entries = (text) =>
    String(text ?? '')
      .split(/[\s,;]+/)
      .filter(Boolean);

  /** Lines of a text, such as distinguished names, which have commas in them. */
  const lines = (text) =>
    String(text ?? '')
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter(Boolean);

  /** The beginning of a distinguished name; the runtime parses all of it. */
  const isName = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+) *=/;
  const isId = /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/;

  const label = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
  const domainName = new RegExp(`^${label}(?:\\.${label})*\\.?$`);
  const bracketed = /^\[[0-9A-Fa-f:.]+\](?::(\d{1,5}))?$/;
  const attributeName = /^(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)$/;

  const isPort = (text) => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535;

  /** `host`, `host:port`, `[IPv6]` or `[IPv6]:port`. */
  const isServer = (text) => {
    const address = bracketed.exec(text);
    if (address) return address[1] === undefined || isPort(address[1]);
    const [host, port, ...rest] = text.split(':');
    return rest.length === 0 && domainName.test(host) && (port === undefined || isPort(port));
  };

  const isHttpsUrl = (text) => {
    try {
      const url = new URL(text);
      return url.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === '';
    } catch {
      return false;
    }
  };

  /** Is every parenthesis of an LDAP filter closed again (RFC 4515)? The directory judges the rest. */
  const isFilter = (text) => {
    const filter = text.trim();
    let depth = 0;
    for (const [index, character] of [...filter].entries()) {
      if (character === '(') depth += 1;
      if (character === ')') depth -= 1;
      if (depth < 0 || (depth === 0 && index < [...filter].length - 1)) return false;
    }
    return filter.startsWith('(') && depth === 0;
  };

  const FURTHER_SENDERS = 32;

  const isStored = (value) => value === '__PWRD__';
  /** `${NAME}`: Node-RED puts in the value of the environment variable. */
  const isEnvironment = (value) => /^\$\{[^}]+\}$/.test(String(value ?? ''));

  const rules = {
    filled: (value) => String(value ?? '').trim() !== '',
    wholeNumber: (least, most) => (value) =>
      /^\s*\d+\s*$/.test(String(value ?? '')) && Number(value) >= least && Number(value) <= most,
    /** For settings that came later: a node from before them has nothing there, and the default holds. */
    optional: (rule) => (value, node) => String(value ?? '').trim() === '' || rule(value, node),
    /** `500 / 5 %`, a number (also `1,000`), a percentage, or `unlimited`. */
    limit: (value) =>
      /^\s*(?:unlimited|(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\s*(?:\/|or)?\s*\d{1,3}(?:\.\d+)?\s*%)?|\d{1,3}(?:\.\d+)?\s*%)\s*$/i.test(
        String(value ?? ''),
      ),
    /** A whole number; blank: the default. */
    upTo: (least, most) => rules.optional(rules.wholeNumber(least, most)),
    servers: (value) => entries(value).length > 0 && entries(value).every(isServer),
    /** Servers, or the domain that is typed beside them. */
    serversOrDomain: (value, node) =>
      entries(value).every(isServer) &&
      (entries(value).length > 0 || String(window.directorySync.current(node, 'domain') ?? '').trim() !== ''),
    host: (value) => domainName.test(String(value ?? '').trim()) || /^[0-9A-Fa-f.:]+$/.test(String(value ?? '').trim()),
    /** The name of a schema; those that begin with pg_ are PostgreSQL's own. */
    schema: (value) => /^(?!pg_)[A-Za-z_][A-Za-z0-9_-]{0,62}$/.test(String(value ?? '').trim()),
    /** A dot is the domain of the computer that Node-RED runs on. */
    domain: (value) => ['', '.'].includes(String(value ?? '').trim()) || domainName.test(String(value).trim()),
    site: (value) => /^[A-Za-z0-9_-]*$/.test(String(value ?? '').trim()),
    names: (value) => lines(value).every((line) => isName.test(line)),
    /** Names or ids, each alone or with attributes behind a colon. */
    canaries: (value) =>
      lines(value)
        .map((line) => line.replace(/\s*:\s*[A-Za-z][\w-]*(?:\s*,\s*[A-Za-z][\w-]*)*\s*$/, ''))
        .every((line) => isName.test(line) || isId.test(line)),
    attributes: (value) => entries(value).every((name) => attributeName.test(name)),
    domains: (value) => entries(value).every((name) => domainName.test(name)),
    filter: (value) => isFilter(String(value ?? '')),
    httpsUrl: (value) => isHttpsUrl(String(value ?? '').trim()),
    senders: (value) =>
      (value ?? []).every(({ id }) => /^[A-Za-z0-9._-]{1,64}$/.test(id)) &&
      new Set((value ?? []).map(({ id }) => id)).size === (value ?? []).length,
    /** Blank in a node from before there was a limit: then the default holds. */
    perMinute: (value) => String(value ?? '').trim() === '' || rules.wholeNumber(1, 1000000)(value),
    path: (value) => /^\/[A-Za-z0-9._~/-]*$/.test(String(value ?? '').trim()),
    port: (value) => String(value ?? '').trim() === '' || isPort(String(value).trim()),
    keyId: (value) => /^[A-Za-z0-9._-]{1,64}$/.test(String(value ?? '').trim()),
    atMost: (length) => (value) => String(value ?? '').length <= length,
    /** A secret that was stored before comes to the editor as `__PWRD__`. */
    key: (value) => isStored(value) || isEnvironment(value) || String(value ?? '').length >= 32,
    /** What an older installation calls SecurityProtocol: bits of .NET, of which the lowest counts. */
    securityProtocol: (value) => {
      const text = String(value ?? '').trim();
      const number = Number(text);
      return (
        text === '' ||
        (/^\d{1,5}$/.test(text) && number > 0 && [192, 768, 3072, 12288].some((bits) => (number & bits) === bits))
      );
    },
    pins: (value) => {
      const pins = entries(value).map((pin) => pin.replace(/^sha256\//i, ''));
      return pins.length !== 1 && pins.every((pin) => /^[A-Za-z0-9+/]{43}=$/.test(pin));
    },
  };

  window.directorySync = {
    /** A node from before a setting has nothing there: its dialog shows what holds, and saves that. */
    showDefaults(node, prefix) {
      for (const [name, { value }] of Object.entries(node._def.defaults)) {
        if (node[name] !== undefined || name === 'version') continue;
        const input = $(`#${prefix}${name}`);
        if (input.is(':checkbox')) input.prop('checked', value);
        else input.val(value);
      }
    },
    rules,
    entries,

    /**
     * A `validate` for the property: true, or the message `<type>.error.<property>` of the node's catalog.
     * `rule(value, node)` judges; it is called with the node that is being edited.
     */
    check(property, rule) {
      // Node-RED takes the message of a validator only if it declares both parameters.
      return function (value, _opt) {
        if (rule.call(this, value, this)) return true;
        const translate = this._ ?? this._def._;
        return translate(`${this._def.type}.error.${property}`);
      };
    },

    /** A rule that holds only while that proof is chosen. */
    whenProof(proof, rule) {
      return function (value, node) {
        return (directorySync.current(node, 'proof') || 'signature') !== proof || rule.call(this, value, node);
      };
    },

    /** A rule that holds only while the account is kept in PostgreSQL. */
    inPostgres(rule) {
      return function (value, node) {
        return directorySync.current(node, 'store') !== 'postgresql' || rule.call(this, value, node);
      };
    },

    /** Places for the keys of senders beside the first; as in nodes/directory-receive/settings.ts. */
    senderCredentials() {
      const names = ['nextKey'];
      for (let place = 1; place <= FURTHER_SENDERS; place += 1) names.push(`key_${place}`, `nextKey_${place}`);
      return Object.fromEntries(names.map((name) => [name, { type: 'password' }]));
    },

    /** A list of senders beside the first, each with its key at a place of its own among the credentials. */
    editSenders(list, node, texts) {
      const field = (name, input) =>
        $('<div class="directory-sync-sender-field">').append($('<label>').text(texts[name]), input);
      const secret = (name, place) =>
        $('<input type="password" autocomplete="new-password" spellcheck="false">')
          .attr('id', `node-input-${name}_${place}`)
          .val(node.credentials?.[`has_${name}_${place}`] ? '__PWRD__' : '');
      list.css('min-height', '60px').editableList({
        addButton: texts.add,
        removable: true,
        sortable: true,
        addItem(container, _index, data) {
          const taken = list
            .editableList('items')
            .toArray()
            .map((item) => $(item).data('data')?.place);
          const free = Array.from({ length: FURTHER_SENDERS }, (_, index) => index + 1).find(
            (place) => !taken.includes(place),
          );
          data.place ??= free ?? FURTHER_SENDERS;
          const proof = $('<select data-field="proof">');
          for (const kind of ['signature', 'bearer', 'certificate'])
            proof.append(
              $('<option>')
                .val(kind)
                .text(say(`proof.${kind}`)),
            );
          const text = (name) =>
            $('<input type="text" spellcheck="false">')
              .attr('data-field', name)
              .val(data[name] ?? '');
          const secrets = $('<div>').append(
            field('key', secret('key', data.place)),
            field('nextKey', secret('nextKey', data.place)),
          );
          const certificate = field('certificate', text('certificate'));
          const show = () => {
            secrets.toggle(proof.val() !== 'certificate');
            certificate.toggle(proof.val() === 'certificate');
          };
          proof.val(data.proof ?? 'signature').on('change', show);
          container.append(
            field('id', text('id')),
            field('proof', proof),
            secrets,
            certificate,
            field('sources', text('sources')),
            field('perMinute', text('perMinute')),
          );
          show();
        },
        removeItem({ place }) {
          // What was stored at the place goes with its sender.
          for (const name of ['key', 'nextKey'])
            $('<input type="hidden">').attr('id', `node-input-${name}_${place}`).val('').insertAfter(list);
        },
      });
      for (const sender of node.senders ?? []) list.editableList('addItem', { ...sender });
    },

    /** The senders as they stand in the list. */
    editedSenders: (list) =>
      list
        .editableList('items')
        .toArray()
        .map((item) => {
          const value = (name) => $(item).find(`[data-field="${name}"]`).val().trim();
          const { place } = $(item).data('data');
          const [id, proof, certificate] = ['id', 'proof', 'certificate'].map(value);
          return { id, proof, certificate, sources: value('sources'), perMinute: value('perMinute'), place };
        }),

    /** What stands in the form while a node is being edited, else what is stored in it. */
    current(node, property) {
      const prefix = node._def.category === 'config' ? '#node-config-input-' : '#node-input-';
      const field = $(prefix + property);
      if (field.length === 0) return node[property];
      return field.attr('type') === 'checkbox' ? field.prop('checked') : field.val();
    },

    /** Has a config node been chosen? */
    chosen: (value) => value !== undefined && value !== null && value !== '' && value !== '_ADD_',

    /** The label of a config node, or an empty text. */
    labelOf(id) {
      const node = id ? RED.nodes.node(id) : null;
      return node ? RED.utils.getNodeLabel(node, '') : '';
    },

    /** A new random key of 256 bits, as hexadecimal text. */
    newKey() {
      const bytes = crypto.getRandomValues(new Uint8Array(32));
      return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    },
  };
})();
