"""Web calls of backup and restore; the page loads these, and what they do only when somebody asks."""

from firmware.core.records import Refusal
from firmware.services import web_service
from firmware.services.bounded_reader import MOST_BODY
from firmware.wire import web_api


class BackupPages:
    """Calls on the settings of one box."""

    def __init__(self, app, codes, kept):
        """codes: the Throttle of the installer's code, one for every way to guess it; kept: WebService.kept."""
        self._app = app
        self._kept = kept
        self._codes = codes

    def rows(self):
        """Rows for WebService.add: only with a login."""
        return [("GET", "/api/backup", self._backup, False), ("POST", "/api/backup", self._restore, False)]

    def _backup(self, request):
        from firmware.services import dropped, web_backup

        made = web_backup.made(self._app, web_service.place_of(request))
        dropped.drop()
        return web_service.answer(made, 200)

    async def _restore(self, request):
        from firmware.services import dropped, web_backup

        fields = web_api.fields_of(request.body, MOST_BODY)
        made = fields
        if not isinstance(fields, Refusal):
            made = web_backup.restored(self._app, fields, self._codes, web_service.place_of(request))
        dropped.drop()
        if isinstance(made, Refusal):
            return web_service.refused(made, web_service.STATUS_OF.get(made.code, 400))
        return await self._kept() or web_service.answer(made, 200)


def add_to(web, app):
    """Add the calls to a WebService."""
    web.add(BackupPages(app, web.codes, web.kept).rows())
