@echo off
rem Removes the SchoolWatch agent: right-click, Run as administrator. /delete-data deletes its data too.
rem Not with CALL, which reads its line twice: a caret or percent sign in the folder would name another file.
rem A file that is not called does not come back, and its exit code is that of this one.
"%~dp0cai-dat.cmd" /uninstall %*
