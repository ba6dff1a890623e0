// Talks to the platform's windows as talk says (LTI Client Side postMessages 0.1).
(async () => {
	const around = window.parent === window ? window.opener : window.parent;
	let { origin, targetOrigin } = talk;

	const ask = (to, aim, message) => new Promise((done, fail) => {
		message.message_id = crypto.randomUUID();
		const heard = event => {
			const data = event.data;
			if (aim !== '*' && !talk.anyOrigin && event.origin !== origin) return;
			if (!data || !talk.anySubject && data.subject !== message.subject + '.response') return;
			if (!talk.anyID && data.message_id !== message.message_id) return;
			removeEventListener('message', heard);
			if (data.error) fail(new Error(data.error.code)); else done([data, event.origin]);
		};
		addEventListener('message', heard);
		to.postMessage(message, aim);
		if (talk.millis) setTimeout(() => fail(new Error('timeout')), talk.millis);
	});

	// storage is the window that keeps data for such a subject.
	async function storage(subject) {
		if (talk.parentAlone) return around;
		const [said, from] = await ask(around, '*', { subject: 'lti.capabilities' });
		const listed = said.supported_messages.find(one => one.subject === subject);
		if (!listed) throw new Error('not_supported');
		if (talk.originAsHeard) [origin, targetOrigin] = [from, from];
		const name = listed.frame ?? talk.target;
		return name === '_parent' ? around : around.frames[name];
	}

	try {
		const found = [];
		for (const [key, value] of talk.put ?? []) {
			await ask(await storage('lti.put_data'), targetOrigin, { subject: 'lti.put_data', key, value });
		}
		for (const key of talk.get ?? []) {
			found.push((await ask(await storage('lti.get_data'), targetOrigin, { subject: 'lti.get_data', key }))[0].value);
		}
		if (talk.next) location.replace(talk.next); else submit({ stored_state: found[0] ?? '', stored_nonce: found[1] ?? '' });
	} catch (failed) {
		if (talk.get) {
			submit({ storage_error: failed.message });
		} else if (talk.without) {
			location.replace(talk.without);
		} else {
			document.body.append('The storage of the platform does not answer. Please open this link in a window of its own.');
		}
	}

	function submit(fields) {
		for (const [name, value] of Object.entries(fields)) {
			const input = document.createElement('input');
			[input.type, input.name, input.value] = ['hidden', name, value];
			document.forms[0].append(input);
		}
		document.forms[0].submit();
	}
})();
