"""Where Piccolo's migration runner finds our engine and our app."""

from piccolo.conf.apps import AppRegistry

from portal.store.engine import current_engine

APP_REGISTRY = AppRegistry(apps=["portal.store.piccolo_app"])


def __getattr__(name: str):
    if name == "DB":  # looked up each time: tests open one engine after another
        return current_engine()
    raise AttributeError(name)
