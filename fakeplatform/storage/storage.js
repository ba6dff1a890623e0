// Passes the messages of tools on to the platform's server, and sends what that answers.
(() => {
	const { messages, launch, silence } = document.currentScript.dataset;
	const longest = 65536; // of a message in JSON that is passed on as a whole

	const within = w => [w, ...Array.from({ length: w.length }, (_, i) => within(w[i])).flat()];

	// forge has the hostile frame send something, and waits until it has.
	const forge = data => new Promise(done => {
		const channel = new MessageChannel();
		channel.port1.onmessage = done;
		(window.top.frames['hostile']).postMessage(data, '*', [channel.port2]);
		setTimeout(done, 2000);
	});

	async function answer(source, origin, data) {
		const text = JSON.stringify(data) ?? '';
		if (text.length > longest) {
			data = { subject: data.subject, message_id: data.message_id, key: data.key };
		}
		const response = await fetch(messages, {
			method: 'POST', headers: { 'Content-Type': 'application/json' },
			body: JSON.stringify({ at: window === window.parent ? '' : window.name, here: location.origin, origin, data, size: text.length }),
		});
		for (const reply of await response.json()) {
			if (reply.forged) {
				await forge(reply.data);
			} else {
				for (const to of reply.spread ? within(window.top) : [source]) to.postMessage(reply.data, reply.to);
			}
		}
	}

	let last = Promise.resolve(); // one after the other, as they came
	addEventListener('message', event => {
		const { source, origin, data } = event;
		if (source && source.top === window.top) { // none of a foreign window
			last = last.then(() => answer(source, origin, data)).catch(() => {});
		}
	});

	if (silence) fetch(silence);
	// The tool comes last, when all that it may ask is there.
	if (launch) addEventListener('load', () => { document.querySelector('iframe').src = launch; });
})();
