// Posts what the page around it asks for, and tells that what is heard.
(() => {
	const around = window.parent.parent;
	addEventListener('message', ({ source, origin, data }) => {
		if (source !== window.parent) {
			window.parent.postMessage({ heard: { origin, data, by: '' } }, '*');
			return;
		}
		try {
			const target = data.to ? around.frames[data.to] : around;
			if (!target) throw new Error('there is no such frame');
			target.postMessage(data.data, data.aim);
		} catch (failed) {
			window.parent.postMessage({ failed: failed.message }, '*');
		}
	});
	window.parent.postMessage({ ready: true }, '*');
})();
