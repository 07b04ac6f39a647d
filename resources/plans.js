/** The dialog of directory-apply: plans that wait for approval, what each would change and for whom, and the decision about it. */
(function () {
  const ajax = (method, url, data) => $.ajax({ method, url, data, dataType: 'json' });
  const line = (className, text) => $('<div>').addClass(className).text(text);
  /** What takes something away stands first: it is what is to be decided. */
  const TAKES_AWAY = ['removed', 'downgraded', 'leaving', 'disabled', 'replaced', 'member-removed', 'alias-unlinked'];
  /** So many changes come with each question. */
  const PAGE = 1000;

  const button = (text, work) =>
    $('<button type="button" class="red-ui-button red-ui-button-small">').text(text).on('click', work);

  /** A value in words: a text as it is, a list by commas, an object by its fields. */
  const written = (value) => {
    if (value === null || value === undefined || value === '') return '–';
    if (Array.isArray(value)) return value.map(written).join(', ');
    if (typeof value !== 'object') return String(value);
    return Object.entries(value)
      .map(([name, field]) => `${name}: ${written(field)}`)
      .join('; ');
  };

  /** Whom a change is about. */
  const whoOf = ({ id, name, address, after }) => {
    const told = typeof after === 'object' && after !== null ? after : {};
    const shownName = name ?? told.name ?? null;
    const shownAddress = address ?? told.address ?? null;
    if (shownName === null) return shownAddress ?? id;
    return shownAddress === null ? shownName : `${shownName} <${shownAddress}>`;
  };

  const detailOf = ({ change, what, member, before, after }, translate) => {
    switch (change) {
      case 'added':
      case 'linked':
        return Object.keys(after?.attributes ?? {}).length > 0 ? written(after.attributes) : '';
      case 'updated':
      case 'attribute':
        return `${what}: ${written(before)} → ${written(after)}`;
      case 'readdressed':
        return `${written(before)} → ${written(after)}`;
      case 'member-added':
      case 'member-removed':
        return member ?? what;
      case 'alias-linked':
      case 'alias-unlinked':
        return what;
      case 'leaving':
      case 'removed':
        return translate(`directory-apply.plans.why.${what}`);
      default:
        return '';
    }
  };

  window.directorySyncPlans = { show: showPlans };

  /** Fills `box` with the plans of the node that wait. `translate`: gives the texts of the node type. */
  function showPlans(box, nodeId, translate) {
    const text = (key, params) => translate(`directory-apply.plans.${key}`, params);
    const root = `directory-sync/apply/${encodeURIComponent(nodeId)}/plans`;
    const said = (words) => box.empty().append(line('directory-sync-plan-said', words));

    /** What went wrong, in words: of the route, or of Node-RED before it. */
    const failureOf = ({ status, responseJSON }) => {
      if (status === 401) return text('notAllowed');
      if (responseJSON?.code === 'NODE_MISSING') return text('notDeployed');
      return responseJSON?.message ?? text('noAnswer');
    };

    const changeLine = (change) => {
      const detail = detailOf(change, translate);
      return line('directory-sync-change', detail === '' ? whoOf(change) : `${whoOf(change)}: ${detail}`).attr(
        'title',
        change.id,
      );
    };

    /** One kind of change: how often; and, once it is opened, each of them. */
    const stepBox = (path, { kind, change, count }, failed) => {
      const list = $('<div class="directory-sync-changes">').hide();
      const label = `${text(`kind.${kind}`)}: ${text(`change.${change}`)} (${count})`;
      const icon = $('<i class="fa fa-caret-right">').attr('aria-hidden', 'true');
      const toggle = $('<button type="button" class="directory-sync-step">')
        .toggleClass('directory-sync-step-takes', TAKES_AWAY.includes(change))
        .attr('aria-expanded', 'false')
        .append(icon, $('<span>').text(label));
      // Whoever opens, closes and opens again quickly asks once.
      let asked = false;
      const load = (after) => {
        if (asked) return;
        asked = true;
        ajax('GET', path, { kind, change, after })
          .always(() => (asked = false))
          .done((changes) => {
            list.find('button').remove();
            list.append(changes.map(changeLine));
            const last = changes[changes.length - 1];
            if (changes.length === PAGE) list.append(button(text('more'), () => load(last.seq)));
          })
          .fail(failed);
      };
      toggle.on('click', () => {
        if (list.children().length === 0) load(0);
        const open = list.is(':hidden');
        list.toggle(open);
        icon.toggleClass('fa-caret-right', !open).toggleClass('fa-caret-down', open);
        toggle.attr('aria-expanded', String(open));
      });
      return $('<div>').append(toggle, list);
    };

    const planBox = ({ plan, source, at, changes, holds }) => {
      const path = `${root}/${encodeURIComponent(plan)}`;
      const steps = $('<div class="directory-sync-steps">');
      const answer = line('directory-sync-plan-said', '').hide();
      const failed = (failure) => answer.text(failureOf(failure)).show();
      const buttons = $('<div class="directory-sync-plan-buttons">');
      const decide = (verdict) => () => {
        buttons.find('button').prop('disabled', true);
        ajax('POST', `${path}/${verdict}`)
          .done((report) => load().always(() => RED.notify(text('decided', { outcome: report.outcome }), 'success')))
          .fail((failure) => {
            buttons.find('button').prop('disabled', false);
            failed(failure);
          });
      };
      buttons.append(button(text('approve'), decide('approve')), button(text('reject'), decide('reject')));
      ajax('GET', `${path}/steps`)
        .done((found) => {
          const rank = ({ change }) => (TAKES_AWAY.includes(change) ? TAKES_AWAY.indexOf(change) : TAKES_AWAY.length);
          const inOrder = [...found].sort((left, right) => rank(left) - rank(right));
          steps.append(inOrder.map((step) => stepBox(path, step, failed)));
        })
        .fail(failed);
      return $('<div class="directory-sync-plan">').append(
        line(
          'directory-sync-plan-title',
          `${source}, ${new Date(at).toLocaleString()}: ${text('changes', { count: changes })}`,
        ),
        holds.map(({ message }) => line('directory-sync-plan-hold', message)),
        steps,
        line('directory-sync-plan-digest', plan),
        buttons,
        answer,
      );
    };

    const load = () =>
      ajax('GET', root)
        .done((plans) => {
          if (plans.length === 0) said(text('none'));
          else box.empty().append(plans.map(planBox));
        })
        .fail((failure) => said(failureOf(failure)));
    // A node that was not deployed yet has no plans, and Node-RED knows nothing of it.
    if ((RED.nodes.originalFlow() ?? []).some(({ id }) => id === nodeId)) load();
    else said(text('notDeployed'));
  }
})();
