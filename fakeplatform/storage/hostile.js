// Sends the tool in the first frame of the page what it is told to.
addEventListener('message', event => {
	if (event.source === window.parent || event.source.parent === window.parent) {
		window.parent.frames[0].postMessage(event.data, '*');
		event.ports[0].postMessage('sent');
	}
});
