// Posts messages to the platform's windows, and tells the tool's server what is heard.
(async () => {
	const around = window.parent === window ? window.opener : window.parent;
	const within = document.querySelector('iframe').contentWindow;
	const pause = millis => new Promise(done => setTimeout(done, millis));
	const told = { heard: [], failed: {}, elsewhere: false };
	let during = -1, since = 0, wake = () => {};

	const nameOf = source => {
		for (const { to } of posts) {
			if (to && around.frames[to] === source) return to;
		}
		return source === around ? '' : '?';
	};
	const hear = heard => {
		if (told.heard.length < 200) told.heard.push({ ...heard, during, millis: Math.round(performance.now() - since) });
		wake();
	};
	addEventListener('message', ({ source, origin, data }) => {
		if (source !== within) {
			hear({ elsewhere: false, origin, data, by: nameOf(source) });
		} else if (data.ready) {
			told.elsewhere = true;
			wake();
		} else if (data.failed) {
			told.failed[during] = data.failed;
		} else {
			hear({ ...data.heard, elsewhere: true });
		}
	});

	const awake = millis => Promise.race([pause(millis), new Promise(done => { wake = done; })]);
	if (posts.some(post => post.elsewhere) && !told.elsewhere) await awake(3000);
	for (const { to, aim, data, fill, elsewhere, millis } of posts) {
		during++;
		since = performance.now();
		if (fill) data.value = 'x'.repeat(fill);
		const waits = millis ? awake(millis) : undefined;
		try {
			if (elsewhere) {
				within.postMessage({ to, aim, data }, '*');
			} else {
				const target = to ? around.frames[to] : around;
				if (!target) throw new Error('there is no such frame');
				target.postMessage(data, aim);
			}
		} catch (failed) {
			told.failed[during] = failed.message;
			continue;
		}
		await waits;
	}
	await pause(300); // for what comes twice
	await fetch(location.pathname + '/heard', { method: 'POST', body: JSON.stringify(told) });
	const mark = document.createElement('p');
	[mark.id, mark.textContent] = ['heard', told.heard.length + ' messages were heard.'];
	document.body.append(mark);
})();
